#include "reference/numbers/exact.hpp"

#include <quadmath.h>

#include <cmath>

namespace dca::numbers {

BigFloat exactly(Quad constant) {
    BigFloat x(120);
    if (isnanq(constant)) {
        mpfr_set_nan(x.get());
    } else if (isinfq(constant)) {
        mpfr_set_inf(x.get(), constant > 0 ? 1 : -1);
    } else if (constant != 0) {
        // Two integers of at most 60 bits each, which mpfr_set_si and mpfr_add_si take without rounding.
        int exponent = 0;
        const Quad shifted = ldexpq(frexpq(constant, &exponent), 60);
        const auto high = static_cast<std::int64_t>(shifted);
        const auto low = static_cast<std::int64_t>(ldexpq(shifted - static_cast<Quad>(high), 60));
        mpfr_set_si(x.get(), high, MPFR_RNDN);
        mpfr_mul_2si(x.get(), x.get(), 60, MPFR_RNDN);
        mpfr_add_si(x.get(), x.get(), low, MPFR_RNDN);
        mpfr_mul_2si(x.get(), x.get(), exponent - 120, MPFR_RNDN);
    }
    return x;
}

BigFloat exact_angle(std::int64_t position, double frequency) {
    BigFloat angle(128);
    mpfr_set_d(angle.get(), frequency, MPFR_RNDN);
    mpfr_mul_si(angle.get(), angle.get(), position, MPFR_RNDN);
    return angle;
}

TwoDoubles to_two_doubles(const BigFloat& x) {
    const double hi = to_double(x, MPFR_RNDN);
    if (!std::isfinite(hi)) return {hi, 0};
    BigFloat rest(mpfr_get_prec(x.get()) + 64);
    mpfr_sub_d(rest.get(), x.get(), hi, MPFR_RNDN);  // exact: hi has the bits x begins with
    return {hi, to_double(rest, MPFR_RNDN)};
}

}  // namespace dca::numbers
