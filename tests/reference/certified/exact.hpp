// Distances between double-doubles and exact values.
#pragma once

#include <mpfr.h>

#include <cmath>

#include "reference/numbers/exact.hpp"

namespace dca::test {

/// Enough for every sum and product of doubles of the tests without rounding.
inline constexpr mpfr_prec_t exact_bits = 2400;

/// |hi + lo - exact|, rounded up.
[[nodiscard]] inline double distance(double hi, double lo, mpfr_srcptr exact) {
    numbers::BigFloat d(exact_bits);
    mpfr_set_d(d.get(), hi, MPFR_RNDN);
    mpfr_add_d(d.get(), d.get(), lo, MPFR_RNDN);
    mpfr_sub(d.get(), d.get(), exact, MPFR_RNDA);
    mpfr_abs(d.get(), d.get(), MPFR_RNDN);
    return mpfr_get_d(d.get(), MPFR_RNDU);
}

/// hi + lo, exactly. A temporary lives to the end of its full expression, long enough for an MPFR function (mpfr_set is
/// a macro and outlives it).
class Value {
public:
    Value(double hi, double lo) : x_(exact_bits) {
        mpfr_set_d(x_.get(), hi, MPFR_RNDN);
        mpfr_add_d(x_.get(), x_.get(), lo, MPFR_RNDN);
    }
    [[nodiscard]] mpfr_srcptr get() const { return x_.get(); }

private:
    numbers::BigFloat x_;
};
[[nodiscard]] inline Value sum_of(double hi, double lo) {
    return {hi, lo};
}

[[nodiscard]] inline double magnitude(const numbers::BigFloat& x) {
    return std::abs(mpfr_get_d(x.get(), MPFR_RNDA));
}

}  // namespace dca::test
