// Rounding to a number format, fast where the result is a normal number.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "reference/spec/dtype.hpp"

namespace dca::peer {

/// round_to(dtype, x), to nearest even.
class Rounder {
public:
    explicit Rounder(Dtype dtype)
        : dtype_(dtype),
          dropped_(53 - traits(dtype).precision),
          smallest_(std::ldexp(1.0, traits(dtype).min_exponent)),
          largest_(traits(dtype).max_finite / 2) {}

    [[nodiscard]] double operator()(double x) const {
        if (dropped_ == 0 || x == 0) return x;
        const double size = std::abs(x);
        if (!(size >= smallest_ && size <= largest_)) return round_to(dtype_, x);  // subnormal, near overflow, NaN
        const auto bits = std::bit_cast<std::uint64_t>(x), unit = std::uint64_t{1} << dropped_;
        // Half a unit, less one where the last kept bit is 0: ties go to even. A carry into the exponent is right.
        const std::uint64_t bumped = bits + (unit / 2 - 1) + (bits >> dropped_ & 1);
        return std::bit_cast<double>(bumped & ~(unit - 1));
    }

private:
    Dtype dtype_;
    int dropped_;
    double smallest_, largest_;
};

}  // namespace dca::peer
