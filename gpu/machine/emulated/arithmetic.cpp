// exp2, log2, exp and log of the emulated machine: additions, multiplications and divisions of doubles alone, so that
// the bits depend neither on the C library nor on the processor.
#include "gpu/machine/emulated/arithmetic.hpp"

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace dca::gpu::emulated {
namespace {

// 2^(j/32), and what is missing; computed with 60 decimal digits, as are the other constants.
constexpr double table_hi[32] = {
    0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0, 0x1.172b83c7d517bp+0,
    0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0, 0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0,
    0x1.3dea64c123422p+0, 0x1.44e086061892dp+0, 0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0,
    0x1.6247eb03a5585p+0, 0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
    0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0, 0x1.ae89f995ad3adp+0,
    0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0, 0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0,
    0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0};
constexpr double table_lo[32] = {0x0.0p+0,
                                 0x1.d73e2a475b465p-55,
                                 0x1.8a62e4adc610bp-54,
                                 -0x1.6c51039449b3ap-54,
                                 -0x1.19041b9d78a76p-55,
                                 0x1.e016e00a2643cp-54,
                                 0x1.9b07eb6c70573p-54,
                                 0x1.612e8afad1255p-55,
                                 0x1.6f46ad23182e4p-55,
                                 -0x1.63aeabf42eae2p-54,
                                 0x1.ada0911f09ebcp-55,
                                 0x1.89b7a04ef80d0p-59,
                                 0x1.d4397afec42e2p-56,
                                 -0x1.07abe1db13cadp-55,
                                 0x1.6324c054647adp-54,
                                 -0x1.383c17e40b497p-54,
                                 -0x1.bdd3413b26456p-54,
                                 -0x1.16e4786887a99p-55,
                                 -0x1.41577ee04992fp-55,
                                 -0x1.d4c1dd41532d8p-54,
                                 0x1.6e9f156864b27p-54,
                                 -0x1.75fc781b57ebcp-57,
                                 0x1.c7c46b071f2bep-56,
                                 -0x1.d2f6edb8d41e1p-54,
                                 0x1.7a1cd345dcc81p-54,
                                 -0x1.5584f7e54ac3bp-56,
                                 0x1.11065895048ddp-55,
                                 0x1.503cbd1e949dbp-56,
                                 0x1.2ed02d75b3707p-55,
                                 -0x1.1a5cd4f184b5cp-54,
                                 -0x1.e9c23179c2893p-54,
                                 0x1.9d3e12dd8a18bp-54};

// Adding and subtracting it rounds to an integer, which is then in the low bits.
constexpr double rounder = 0x1.8p52;

/// x 2^k in two steps, the first exact, so that a subnormal result is rounded once. |k| < 2000.
double scale(double x, int k) {
    const auto power = [](int e) { return std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52); };
    return x * power(k / 2) * power(k - k / 2);
}

/// A positive finite x as m 2^e, m in [sqrt(1/2), sqrt(2)).
struct Split {
    double m;
    int e;
};
Split split(double x) {
    int e = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        e = -54;
    }
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    e += static_cast<int>(bits >> 52) - 1023;
    double m = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        ++e;
    }
    return {m, e};
}

/// log(m) for m = 1 + f in [sqrt(1/2), sqrt(2)], plus `low`: f - f^2/2 + s (f^2/2 + R), s = f / (2 + f), where s R is
/// what 2 atanh(s) has beyond f - f^2/2 + s f^2/2; s^2 < 0.0295, so the series ends below 2^-57.
double log_near_one(double m, double low) {
    const double f = m - 1.0, s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
    double r = 2.0 / 25;
    for (const double odd : {23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) r = r * z + 2.0 / odd;
    return f - (half_square - (s * (half_square + r * z) + low));
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

float exp2(float x) {
    if (!(x > -127.0f)) return x != x ? x : 0.0f;
    if (x >= 128.0f) return std::numeric_limits<float>::infinity();
    const double wide = x, shifted = wide * 32.0 + rounder, n = shifted - rounder, r = wide - n * 0x1p-5;
    // |r| <= 1/64: the series of 2^r ends below 2^-48.
    const double series = 0x1.62e42fefa39efp-1 +
                          r * (0x1.ebfbdff82c58fp-3 +
                               r * (0x1.c6b08d704a0c0p-5 + r * (0x1.3b2ab6fba4e77p-7 + r * 0x1.5d87fe78a6731p-10)));
    const std::int64_t k = static_cast<std::int64_t>(n);
    const double t = table_hi[k & 31];
    const double power = std::bit_cast<double>(static_cast<std::uint64_t>((k >> 5) + 1023) << 52);
    const float y = static_cast<float>((t + t * (r * series)) * power);
    return y < 0x1p-126f ? 0.0f : y;
}

float log2(float x) {
    if (!(x > 0.0f)) return x == 0.0f ? static_cast<float>(-infinity) : std::numeric_limits<float>::quiet_NaN();
    if (x > std::numeric_limits<float>::max()) return x;
    const Split p = split(x);
    return static_cast<float>(p.e + log_near_one(p.m, 0.0) * 0x1.71547652b82fep+0);
}

double exp(double x) {
    if (x != x) return x;
    if (x > 710.0) return infinity;
    if (x < -746.0) return 0.0;
    const double n = (x * 0x1.71547652b82fep+5 + rounder) - rounder;
    // log(2) / 32 in two parts, the first short enough for an exact product.
    const double r = (x - n * 0x1.62e42fef00000p-6) - n * 0x1.473de6af278edp-39;
    const double p = r + r * r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720)))));
    const int k = static_cast<int>(n);
    const double t = table_hi[k & 31];
    return scale(t + (table_lo[k & 31] + t * p), k >> 5);
}

double log(double x) {
    if (!(x > 0.0)) return x == 0.0 ? -infinity : std::numeric_limits<double>::quiet_NaN();
    if (x > std::numeric_limits<double>::max()) return x;
    const Split p = split(x);
    return p.e * 0x1.62e42fef00000p-1 + log_near_one(p.m, p.e * 0x1.473de6af278edp-34);
}

}  // namespace dca::gpu::emulated
