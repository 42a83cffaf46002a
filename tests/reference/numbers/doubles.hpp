// Random doubles for tests of number types: every sign, exponent and special value has its share.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "reference/numbers/exact.hpp"

namespace dca::numbers {

/// Any finite double: all bit patterns alike, with small whole numbers, equal magnitudes and the edges mixed in.
inline double any_double(std::mt19937_64& random) {
    switch (random() % 8) {
        case 0: return static_cast<double>(static_cast<std::int64_t>(random() % 17) - 8);
        case 1: return random() % 2 ? std::numeric_limits<double>::max() : -std::numeric_limits<double>::denorm_min();
        case 2: return std::ldexp(static_cast<double>(random() >> 11) - 0x1p52, -60);  // near 1
        default: break;
    }
    const auto x = std::bit_cast<double>(random());
    return std::isfinite(x) ? x : 1.5;
}

/// As a number of at least 53 bits.
inline BigFloat exact_value(double x, mpfr_prec_t precision = 53) {
    BigFloat exact(precision);
    mpfr_set_d(exact.get(), x, MPFR_RNDN);
    return exact;
}

/// |a - b| rounded up to a double; 0 where both are the same infinity, NaN where one is NaN.
inline double distance(const BigFloat& a, const BigFloat& b) {
    if (mpfr_equal_p(a.get(), b.get()) != 0) return 0;
    BigFloat difference(64);
    mpfr_sub(difference.get(), a.get(), b.get(), MPFR_RNDA);
    return std::abs(to_double(difference, MPFR_RNDA));
}

}  // namespace dca::numbers
