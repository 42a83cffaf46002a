#include "reference/math/float32_angles.hpp"

#include <quadmath.h>

#include <array>
#include <cmath>

namespace dca::reference {
namespace {

// pi / 2 as a sum of three doubles: 161 bits, so that n (pi / 2) is known to 2^-100 for n up to 2^33.
constexpr double half_pi_1 = 0x1.921fb54442d18p+0, half_pi_2 = 0x1.1a62633145c07p-54,
                 half_pi_3 = -0x1.f1976b7ed8fbcp-110;

// The same in two parts of 33 bits and a rest: products with n up to 2^20 are exact without fused multiply-adds.
constexpr double short_1 = 0x1.921fb54400000p+0, short_2 = 0x1.0b4611a600000p-34, short_3 = 0x1.3198a2e037073p-69;
constexpr double short_range = 0x1p20;

/// angle - n pi / 2 to 2^-53, for the whole number n nearest to angle / (pi / 2).
double reduced(double angle, double n) {
    if (std::abs(n) < short_range) return ((angle - n * short_1) - n * short_2) - n * short_3;
    const double x = std::fma(-n, half_pi_1, angle);
    return std::fma(-n, half_pi_3, std::fma(-n, half_pi_2, x));
}

/// Taylor coefficients 1/3!, 1/5!, ... and 1/2!, 1/4!, ...: the first one left out is below 2^-60 on [-pi/4, pi/4].
constexpr std::array<double, 8> sine{-1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
                                     -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
constexpr std::array<double, 8> cosine{-1.0 / 2,       1.0 / 24,        -1.0 / 720,           1.0 / 40320,
                                       -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};

double series(const std::array<double, 8>& coefficients, double x2) {
    double sum = coefficients.back();
    for (std::size_t k = coefficients.size() - 1; k-- > 0;) sum = sum * x2 + coefficients[k];
    return sum;
}

float rounded_power(double base, double exponent) {
    return static_cast<float>(powq(base, exponent));
}

}  // namespace

void sin_cos(double angle, double& sin, double& cos) {
    const double quarter_turns = std::nearbyint(angle / half_pi_1);
    const double x = reduced(angle, quarter_turns);
    const double x2 = x * x;
    const double s = x + x * x2 * series(sine, x2), c = 1 + x2 * series(cosine, x2);
    switch (static_cast<std::int64_t>(quarter_turns) & 3) {
        case 0: sin = s, cos = c; break;
        case 1: sin = c, cos = -s; break;
        case 2: sin = -s, cos = -c; break;
        default: sin = -c, cos = s; break;
    }
}

Float32Angles::Float32Angles(AngleArithmetic arithmetic, const RopeConfig& rope, const std::vector<double>& exact)
    : chain_(arithmetic == AngleArithmetic::float32_chain && rope.inv_freq.empty() &&
             (rope.scaling == RopeScaling::none || rope.scaling == RopeScaling::linear)) {
    const auto rotary_dim = static_cast<float>(2 * exact.size());
    const bool plain = rope.inv_freq.empty() && rope.scaling == RopeScaling::none;
    for (std::size_t k = 0; k < exact.size(); ++k) {
        // 1 / base^(2k/rd), the exponent, the power and the quotient in float32.
        const float exponent = static_cast<float>(2 * k) / rotary_dim;
        inv_freq_.push_back(plain ? 1.0F / rounded_power(rope.base, exponent) : static_cast<float>(exact[k]));
    }
    if (!chain_) return;
    ratio_ = rounded_power(static_cast<float>(rope.base), -2.0F / rotary_dim);
    if (rope.scaling == RopeScaling::linear) freq_scale_ = 1.0F / static_cast<float>(*rope.factor);
}

void Float32Angles::angles(double position, float* cos_sin) const {
    const auto p = static_cast<float>(position);
    float link = p;
    for (std::size_t k = 0; k < inv_freq_.size(); ++k) {
        const float angle = chain_ ? freq_scale_ * link : p * inv_freq_[k];
        double sin = 0, cos = 0;
        sin_cos(angle, sin, cos);
        cos_sin[2 * k] = static_cast<float>(cos);
        cos_sin[2 * k + 1] = static_cast<float>(sin);
        link *= ratio_;
    }
}

}  // namespace dca::reference
