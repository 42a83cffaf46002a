// The three operations whose last bits a machine or a library could choose, written so that none does.
#pragma once

#include <quadmath.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace dca::sparse {

/// sum a_c b_c: eight running sums, channel c in sum c mod 8, added pairwise.
[[nodiscard]] inline double dot(const double* a, const double* b, std::int64_t size) {
    std::array<double, 8> sum{};
    std::int64_t c = 0;
    for (; c + 8 <= size; c += 8) {
        for (std::int64_t lane = 0; lane < 8; ++lane) sum[static_cast<std::size_t>(lane)] += a[c + lane] * b[c + lane];
    }
    for (std::int64_t lane = 0; c + lane < size; ++lane) {
        sum[static_cast<std::size_t>(lane)] += a[c + lane] * b[c + lane];
    }
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// e^x for x <= 0 with a relative error below 3 * 2^-53 (results below 2^-1022: absolute), in IEEE operations alone.
[[nodiscard]] inline double exp_nonpositive(double x) {
    if (!(x >= -746)) return std::isnan(x) ? x : 0.0;
    constexpr double log2_e = 0x1.71547652b82fep+0;
    // ln 2 in two parts; the first has 32 significant bits, so that its product with k is exact.
    constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
    const double k = std::nearbyint(x * log2_e);
    const double r = (x - k * ln2_high) - k * ln2_low;
    // |r| <= ln 2 / 2: the Taylor polynomial of degree 13 leaves out less than r^14 / 14! e^|r| < 2^-57.
    // In units of 2^-53: 1 for the last sum, |r| each for the one inside and the product, 1/4 for r, less inside.
    constexpr std::array<double, 14> inverse_factorial{
        1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
        1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    double sum = 0;
    for (std::size_t n = inverse_factorial.size(); n-- > 0;) sum = inverse_factorial[n] + sum * r;
    return std::ldexp(sum, static_cast<int>(k));
}

/// a + ln b, rounded to double once.
[[nodiscard]] inline double plus_log(double a, double b) {
    return static_cast<double>(static_cast<__float128>(a) + logq(static_cast<__float128>(b)));
}

}  // namespace dca::sparse
