// Small upper bounds, rounded up. What they bound and why is docs/certified.md.
#pragma once

#include <cstdint>

namespace dca::certified {

/// (2^-53)^2: the unit in which errors of double-doubles are counted.
inline constexpr double u2 = 0x1p-106;
/// For products of factors (1 + x), |x| < 2^-25, of which only the sum of the x was kept, and for the rounding of the
/// bounds themselves.
inline constexpr double inflation = 1 + 0x1p-20;
/// |computed - exact| <= rotation_error |exact| of a rotated row as a vector, softmax scale included.
inline constexpr double rotation_error = 64 * u2;
/// Of exp_sum, for arguments up to x.
[[nodiscard]] constexpr double exp_error(double x) {
    return (32 + 4 * x) * u2;
}
/// Of the sum that exp_sum returns.
inline constexpr double exp_sum_error = 0x1p-96;
/// Probabilities that exp_sum set to 0, relative to a denominator of at least 0.49.
inline constexpr double cut_probability = 0x1p-897;
/// Everything that falls below the smallest double, per operand element; generous.
inline constexpr double underflow = 0x1p-1060;
/// Largest |logit| this can do.
inline constexpr double largest_logit = 0x1p19;

/// A power of two that is at least x and at least 2^-450. Throws Unsupported where x exceeds 2^450.
[[nodiscard]] double power_at_least(double x);
/// At least the L2 norm of n doubles; 0 only if all are 0.
[[nodiscard]] double norm_above(const double* x, std::int64_t n);
/// max |x|.
[[nodiscard]] double largest_magnitude(const double* x, std::int64_t n);

/// row_bias of a Product (1.5 2^e) whose sums of magnitudes, divided by the column bias, are at most `sum`; its
/// 2^E for product_error is 2^e times the column bias.
struct Bias {
    explicit Bias(double sum) : power(2 * power_at_least(sum)), value(1.5 * power) {}
    double power, value;
};

}  // namespace dca::certified
