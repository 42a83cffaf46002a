// AVX2 with FMA: two registers hold the vector; 6 x 8 micro-tile, 12 accumulators.
#include <immintrin.h>

#include "reference/tiles/exp_table.hpp"
#include "reference/tiles/kernels.hpp"

namespace dca::tiles {
namespace {

constexpr int rows_per_tile = 6;
constexpr int vectors_per_tile = 1;

struct V {
    __m256d low, high;
};
inline V load(const double* p) {
    return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}
inline void store(double* p, V v) {
    _mm256_storeu_pd(p, v.low);
    _mm256_storeu_pd(p + 4, v.high);
}
inline V broadcast(double x) {
    return {_mm256_set1_pd(x), _mm256_set1_pd(x)};
}
inline V fma(V a, V b, V c) {
    return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
inline V add(V a, V b) {
    return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
inline V sub(V a, V b) {
    return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
}
inline V mul(V a, V b) {
    return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
inline V max(V a, V b) {
    return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)};
}

inline __m256d lookup(__m256d shifted, const double* table) {
    const __m256i index = _mm256_and_si256(_mm256_castpd_si256(shifted), _mm256_set1_epi64x(15));
    return _mm256_i64gather_pd(table, index, 8);
}
inline void exp_lookup(V shifted, V& th, V& tl) {
    th = {lookup(shifted.low, exp_table_hi), lookup(shifted.high, exp_table_hi)};
    tl = {lookup(shifted.low, exp_table_lo), lookup(shifted.high, exp_table_lo)};
}

/// 2^e for integral e in [-1022, 1023]: the exponent field, with e in the low bits after adding 1.5 2^52.
inline __m256d power_of_two(__m256d e) {
    const __m256i bits = _mm256_castpd_si256(_mm256_add_pd(e, _mm256_set1_pd(0x1.8p52 + 1023)));
    return _mm256_castsi256_pd(_mm256_slli_epi64(bits, 52));
}
/// x 2^floor(k/16) in two steps, the first exact, so that a subnormal result is rounded once like scalef's.
inline __m256d scale_half(__m256d x, __m256d k) {
    const __m256d e = _mm256_floor_pd(_mm256_mul_pd(k, _mm256_set1_pd(1.0 / 16)));
    const __m256d first = _mm256_floor_pd(_mm256_mul_pd(e, _mm256_set1_pd(0.5)));
    return _mm256_mul_pd(_mm256_mul_pd(x, power_of_two(first)), power_of_two(_mm256_sub_pd(e, first)));
}
inline V scale_by_power(V x, V k) {
    return {scale_half(x.low, k.low), scale_half(x.high, k.high)};
}

inline int pack_rows_steps(int, const double*, std::ptrdiff_t, double*) {
    return 0;
}

#include "reference/tiles/kernel_text.inc"

}  // namespace

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = kernel_table("avx2");

}  // namespace dca::tiles
