#include "verify/measure/elementary.hpp"

#include <cmath>

#include "reference/spec/error.hpp"

namespace dca::measure {

namespace {

// ln 2 in two parts: the first has 32 bits, so that its product with an exponent is exact.
constexpr double ln2_high = 0x1.62e42ffp-1, ln2_low = -0x1.718432a1b0e26p-35;

}  // namespace

double log_of(double x) {
    expects(x > 0 && std::isfinite(x), "logarithm of a positive finite number");
    int exponent = 0;
    double mantissa = std::frexp(x, &exponent);  // [1/2, 1)
    if (mantissa < 0x1.6a09e667f3bcdp-1) {
        mantissa *= 2;
        --exponent;
    }
    // ln m = 2 artanh s; |s| <= 0.172, so the first term left out, s^23 / 23, is below 2^-60.
    const double s = (mantissa - 1) / (mantissa + 1), square = s * s;
    double sum = 0;
    for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
    return exponent * ln2_high + (2 * (s + s * sum) + exponent * ln2_low);
}

double exp_of(double x) {
    expects(std::abs(x) < 700, "exponential of a number below 700");
    const double k = std::floor(x * 0x1.71547652b82fep+0 + 0.5);
    const double rest = (x - k * ln2_high) - k * ln2_low;
    // |rest| <= 0.347: rest^15 / 15! is below 2^-63.
    double sum = 1;
    for (int i = 14; i >= 1; --i) sum = 1 + sum * rest / i;
    return std::ldexp(sum, static_cast<int>(k));
}

double power_of(double x, double p) {
    return exp_of(p * log_of(x));
}

}  // namespace dca::measure
