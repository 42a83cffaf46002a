// exp2, log2, exp and log of the emulated machine: the same bits on every machine.
#pragma once

namespace dca::gpu::emulated {

/// 2^x within 0.5001 ulp; results below the normal numbers are 0, as ex2.approx.ftz has them.
[[nodiscard]] float exp2(float x);
/// Within 0.501 ulp, but for |log2 x| < 2^-20 where x is next to 1: there within 2 ulp of double before rounding.
[[nodiscard]] float log2(float x);
/// Within 0.6 ulp where the result is normal.
[[nodiscard]] double exp(double x);
/// Within 1 ulp.
[[nodiscard]] double log(double x);

/// The larger; of a number and a NaN the number, of two zeros +0, as max.f32 has it.
template <class T>
[[nodiscard]] inline T max(T a, T b) {
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return a == 0 ? a + b : a;  // (-0) + (+0) is +0
    return a > b ? a : b;
}

}  // namespace dca::gpu::emulated
