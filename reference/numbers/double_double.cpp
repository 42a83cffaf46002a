#include "reference/numbers/double_double.hpp"

#include <cmath>

namespace dca::numbers {
namespace {

/// Enough for the sum of two doubles of any exponents (2^1024 down to 2^-1074).
constexpr mpfr_prec_t two_doubles_precision = 2200;
/// Twice the working precision: what is rounded from here is rounded once but for one case in 2^100.
constexpr mpfr_prec_t fine_precision = 212;

}  // namespace

DoubleDouble::DoubleDouble(Quad constant) {
    const auto hi = static_cast<double>(constant);
    value_ = dd_real(hi, std::isfinite(hi) ? static_cast<double>(constant - static_cast<Quad>(hi)) : 0.0);
}

DoubleDouble exp(const DoubleDouble& x) {
    return DoubleDouble(::exp(x.value_));
}

DoubleDouble log(const DoubleDouble& x) {
    BigFloat result(fine_precision);
    const BigFloat argument = exactly(x);
    mpfr_log(result.get(), argument.get(), MPFR_RNDN);
    return DoubleDouble(to_two_doubles(result));
}

BigFloat exactly(const DoubleDouble& x) {
    BigFloat sum(two_doubles_precision);
    mpfr_set_d(sum.get(), x.hi(), MPFR_RNDN);
    mpfr_add_d(sum.get(), sum.get(), x.lo(), MPFR_RNDN);
    return sum;
}

std::pair<DoubleDouble, DoubleDouble> scaled_cos_sin(std::type_identity<DoubleDouble>, std::int64_t position,
                                                     double frequency, Quad scale) {
    BigFloat cos(fine_precision), sin(fine_precision);
    const BigFloat angle = exact_angle(position, frequency);
    mpfr_sin_cos(sin.get(), cos.get(), angle.get(), MPFR_RNDN);
    const DoubleDouble factor(scale);
    return {factor * DoubleDouble(to_two_doubles(cos)), factor * DoubleDouble(to_two_doubles(sin))};
}

}  // namespace dca::numbers
