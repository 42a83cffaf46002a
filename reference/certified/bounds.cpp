#include "reference/certified/bounds.hpp"

#include <algorithm>
#include <cmath>

#include "reference/spec/error.hpp"

namespace dca::certified {

double power_at_least(double x) {
    if (!(x <= 0x1p450)) {
        throw Unsupported(
            "certified results need magnitudes below 2^450 in every product; compute without --certified");
    }
    if (x <= 0x1p-450) return 0x1p-450;
    int exponent = 0;
    const double mantissa = std::frexp(x, &exponent);  // [0.5, 1)
    return std::ldexp(1.0, mantissa == 0.5 ? exponent - 1 : exponent);
}

double largest_magnitude(const double* x, std::int64_t n) {
    double largest = 0;
    for (std::int64_t e = 0; e < n; ++e) largest = std::max(largest, std::abs(x[e]));
    return largest;
}

double norm_above(const double* x, std::int64_t n) {
    const double largest = largest_magnitude(x, n);
    if (largest == 0) return 0;
    double sum = 0;
    for (std::int64_t e = 0; e < n; ++e) sum += (x[e] / largest) * (x[e] / largest);
    // n + 3 roundings, each below 2^-53 relative, and the one that may underflow
    return largest * std::sqrt(sum) * (1 + static_cast<double>(n + 8) * 0x1p-52) + 0x1p-1074;
}

}  // namespace dca::certified
