// AVX-512: 16 columns of C in a register, four rows at a time.
#include <immintrin.h>

#include "gpu/machine/emulated/mma.hpp"

namespace dca::gpu::emulated {
namespace {

constexpr int floats = 16, doubles = 8, rows_f = 4;
using F = __m512;
using D = __m512d;
inline F load_f(const float* p) {
    return _mm512_load_ps(p);
}
inline void store_f(float* p, F v) {
    _mm512_store_ps(p, v);
}
inline F splat_f(float x) {
    return _mm512_set1_ps(x);
}
inline D load_d(const double* p) {
    return _mm512_load_pd(p);
}
inline void store_d(double* p, D v) {
    _mm512_store_pd(p, v);
}
inline D splat_d(double x) {
    return _mm512_set1_pd(x);
}
inline D fma_d(D a, D b, D c) {
    return _mm512_fmadd_pd(a, b, c);
}

#include "gpu/machine/emulated/mma_text.inc"

}  // namespace

extern const MmaKernels avx512_mma;
const MmaKernels avx512_mma = {"avx512", mma_float<Bf16Pair>, mma_float<F16Pair>, mma_double};

}  // namespace dca::gpu::emulated
