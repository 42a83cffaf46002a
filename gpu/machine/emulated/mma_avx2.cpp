// AVX2 with FMA: 8 columns of C in a register, two rows at a time.
#include <immintrin.h>

#include "gpu/machine/emulated/mma.hpp"

namespace dca::gpu::emulated {
namespace {

constexpr int floats = 8, doubles = 4, rows_f = 2;
using F = __m256;
using D = __m256d;
inline F load_f(const float* p) {
    return _mm256_load_ps(p);
}
inline void store_f(float* p, F v) {
    _mm256_store_ps(p, v);
}
inline F splat_f(float x) {
    return _mm256_set1_ps(x);
}
inline D load_d(const double* p) {
    return _mm256_load_pd(p);
}
inline void store_d(double* p, D v) {
    _mm256_store_pd(p, v);
}
inline D splat_d(double x) {
    return _mm256_set1_pd(x);
}
inline D fma_d(D a, D b, D c) {
    return _mm256_fmadd_pd(a, b, c);
}

#include "gpu/machine/emulated/mma_text.inc"

}  // namespace

extern const MmaKernels avx2_mma;
const MmaKernels avx2_mma = {"avx2", mma_float<Bf16Pair>, mma_float<F16Pair>, mma_double};

}  // namespace dca::gpu::emulated
