// Results before the one rounding: double-doubles, each with a proven bound of its error.
#pragma once

#include <optional>

#include "reference/spec/bundles.hpp"

namespace dca::certified {

/// |hi + lo - exact| <= radius for every element. A radius of 0 means that hi + lo is exact.
template <int Rank>
struct Bounded {
    Bounded() = default;
    explicit Bounded(const Extents<Rank>& extents) : hi(extents), lo(extents), radius(extents) {}
    Tensor<double, Rank> hi, lo, radius;
};

/// Shaped as dca::Outputs and dca::Gradients. A row without keys has out 0 and lse -inf, exactly.
struct Unrounded {
    Bounded<4> out;
    Bounded<3> lse;
    std::optional<Bounded<4>> dq, dk, dv;
};

}  // namespace dca::certified
