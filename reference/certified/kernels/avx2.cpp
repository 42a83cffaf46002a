// AVX2 with FMA: two registers hold the vector; 2 x 8 micro-tile, 2 pairs of accumulators.
#include <immintrin.h>

#include "reference/certified/kernels/constants.hpp"
#include "reference/certified/kernels/kernels.hpp"
#include "reference/tiles/exp_table.hpp"

namespace dca::certified {
namespace {

constexpr int rows_per_tile = 2;
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
inline V fms(V a, V b, V c) {
    return {_mm256_fmsub_pd(a.low, b.low, c.low), _mm256_fmsub_pd(a.high, b.high, c.high)};
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
inline V absolute(V a) {
    const __m256d sign = _mm256_set1_pd(-0.0);
    return {_mm256_andnot_pd(sign, a.low), _mm256_andnot_pd(sign, a.high)};
}

inline __m256d lookup(__m256d shifted, const double* table) {
    const __m256i index = _mm256_and_si256(_mm256_castpd_si256(shifted), _mm256_set1_epi64x(15));
    return _mm256_i64gather_pd(table, index, 8);
}
inline void exp_lookup(V shifted, V& th, V& tl) {
    th = {lookup(shifted.low, tiles::exp_table_hi), lookup(shifted.high, tiles::exp_table_hi)};
    tl = {lookup(shifted.low, tiles::exp_table_lo), lookup(shifted.high, tiles::exp_table_lo)};
}
inline V sixteenth_floor(V k) {
    const V x = mul(k, broadcast(1.0 / 16));
    return {_mm256_floor_pd(x.low), _mm256_floor_pd(x.high)};
}
/// The exponent field, with e in the low bits after adding 1.5 2^52.
inline __m256d power_of_two_half(__m256d e) {
    const __m256i bits = _mm256_castpd_si256(_mm256_add_pd(e, _mm256_set1_pd(0x1.8p52 + 1023)));
    return _mm256_castsi256_pd(_mm256_slli_epi64(bits, 52));
}
inline V power_of_two(V e) {
    return {power_of_two_half(e.low), power_of_two_half(e.high)};
}
inline V zero_below(V e, double bound, V v) {
    const __m256d b = _mm256_set1_pd(bound);
    return {_mm256_and_pd(_mm256_cmp_pd(e.low, b, _CMP_GE_OQ), v.low),
            _mm256_and_pd(_mm256_cmp_pd(e.high, b, _CMP_GE_OQ), v.high)};
}

#include "reference/certified/kernels/kernel_text.inc"

}  // namespace

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = kernel_table("avx2");

}  // namespace dca::certified
