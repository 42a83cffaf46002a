// The few elements whose double-double lies too near to the middle between two doubles, again in MPFR with a radius
// (ball.hpp): row by row and key by key, with none of the tiles, kernels and bounds of the first computation.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/bundles.hpp"

namespace dca::certified {

/// A tensor and the flat indices of its elements that are not decided; decided ones are written and taken off the list.
template <int Rank>
struct Pending {
    Tensor<double, Rank>* values = nullptr;
    std::vector<std::int64_t>* indices = nullptr;
    [[nodiscard]] bool empty() const { return indices == nullptr || indices->empty(); }
};

struct Undecided {
    Pending<4> out;
    Pending<3> lse;
    Pending<4> dq, dk, dv;  ///< null without dout
};

/// At 192 and then at 1024 bits, as long as the estimated number of multiply-adds fits into `budget`. The result
/// of an element does not depend on which others are undecided.
void recompute(const Problem& problem, const Inputs& inputs, const Undecided& undecided, double budget);

}  // namespace dca::certified
