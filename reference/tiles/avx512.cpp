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

/// Rows 4 n .. 4 n + 3 of eight steps: transposed in registers, four steps at a time.
inline void pack_four_rows(const double* source, std::ptrdiff_t stride, double* packed) {
    for (int half = 0; half < 2; ++half) {
        const __m256d a = _mm256_loadu_pd(source + 4 * half), b = _mm256_loadu_pd(source + stride + 4 * half);
        const __m256d c = _mm256_loadu_pd(source + 2 * stride + 4 * half);
        const __m256d d = _mm256_loadu_pd(source + 3 * stride + 4 * half);
        const __m256d ab0 = _mm256_unpacklo_pd(a, b), ab1 = _mm256_unpackhi_pd(a, b);
        const __m256d cd0 = _mm256_unpacklo_pd(c, d), cd1 = _mm256_unpackhi_pd(c, d);
        double* to = packed + 4 * half * rows_per_tile;
        _mm256_storeu_pd(to, _mm256_permute2f128_pd(ab0, cd0, 0x20));
        _mm256_storeu_pd(to + rows_per_tile, _mm256_permute2f128_pd(ab1, cd1, 0x20));
        _mm256_storeu_pd(to + 2 * rows_per_tile, _mm256_permute2f128_pd(ab0, cd0, 0x31));
        _mm256_storeu_pd(to + 3 * rows_per_tile, _mm256_permute2f128_pd(ab1, cd1, 0x31));
    }
}

inline int pack_rows_steps(int k, const double* source, std::ptrdiff_t stride, double* packed) {
    int s = 0;
    for (; s + 8 <= k; s += 8) {
        for (int row = 0; row < rows_per_tile; row += 4) {
            pack_four_rows(source + row * stride + s, stride, packed + s * rows_per_tile + row);
        }
    }
    return s;
}

#include "reference/tiles/kernel_text.inc"

}  // namespace

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = kernel_table("avx512");

}  // namespace dca::tiles
