// AVX-512: one register holds the vector; 12 x 16 micro-tile, 24 accumulators.
#include <immintrin.h>

#include "reference/tiles/exp_table.hpp"
#include "reference/tiles/kernels.hpp"

namespace dca::tiles {
namespace {

constexpr int rows_per_tile = 12;
constexpr int vectors_per_tile = 2;

using V = __m512d;
inline V load(const double* p) {
    return _mm512_loadu_pd(p);
}
inline void store(double* p, V v) {
    _mm512_storeu_pd(p, v);
}
inline V broadcast(double x) {
    return _mm512_set1_pd(x);
}
inline V fma(V a, V b, V c) {
    return _mm512_fmadd_pd(a, b, c);
}
inline V add(V a, V b) {
    return _mm512_add_pd(a, b);
}
inline V sub(V a, V b) {
    return _mm512_sub_pd(a, b);
}
inline V mul(V a, V b) {
    return _mm512_mul_pd(a, b);
}
inline V max(V a, V b) {
    return _mm512_max_pd(a, b);
}

inline void exp_lookup(V shifted, V& th, V& tl) {
    const __m512i index = _mm512_castpd_si512(shifted);  // the permutation reads only the low four bits
    th = _mm512_permutex2var_pd(load(exp_table_hi), index, load(exp_table_hi + 8));
    tl = _mm512_permutex2var_pd(load(exp_table_lo), index, load(exp_table_lo + 8));
}

/// scalef takes the floor of k / 16, which is what splitting k into table index and exponent means.
inline V scale_by_power(V x, V k) {
    return _mm512_scalef_pd(x, mul(k, broadcast(1.0 / 16)));
}

#include "reference/tiles/kernel_text.inc"

}  // namespace

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = kernel_table("avx512");

}  // namespace dca::tiles
