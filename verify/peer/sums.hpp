// The peer's sums of products, and what it rounds before them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "verify/peer/rounder.hpp"

namespace dca::peer {

/// Sums of products in Real, each partial sum rounded to a narrower accumulator where there is one.
template <class Real>
class Sums {
public:
    explicit Sums(Dtype accumulator)
        : narrow_(accumulator == Dtype::f16 || accumulator == Dtype::bf16), round_(accumulator) {}

    /// y[n] += a x[n]
    void add(Real a, const Real* x, Real* y, std::int64_t count) const {
        if (narrow_) {  // the product of two 11-bit numbers is exact in double
            for (std::int64_t n = 0; n < count; ++n) y[n] = rounded(double{y[n]} + double{a} * double{x[n]});
        } else {
            for (std::int64_t n = 0; n < count; ++n) y[n] += a * x[n];
        }
    }
    void scale(Real a, Real* y, std::int64_t count) const {
        for (std::int64_t n = 0; n < count; ++n) y[n] = narrow_ ? rounded(double{a} * double{y[n]}) : a * y[n];
    }

private:
    Real rounded(double x) const { return static_cast<Real>(round_(x)); }
    bool narrow_;
    Rounder round_;
};

/// P and dS as the second products read them.
class Operand {
public:
    explicit Operand(Dtype dtype) : round_(dtype), scaled_(traits(dtype).storage_bits == 8), dtype_(dtype) {}

    /// P, at most 1: scaled by 256 in the 8-bit types.
    [[nodiscard]] double p(double x) const { return scaled_ ? round_(x * 256) / 256 : round_(x); }
    /// The power of two by which a block of dS is scaled: at most 256, and such that its largest stays in range.
    [[nodiscard]] double block_scale(double largest) const {
        if (!scaled_ || !(largest > 0)) return 1;
        return std::min(256.0, std::exp2(std::floor(std::log2(traits(dtype_).max_finite / largest))));
    }
    [[nodiscard]] double ds(double x, double scale) const { return round_(x * scale) / scale; }

private:
    Rounder round_;
    bool scaled_;
    Dtype dtype_;
};

}  // namespace dca::peer
