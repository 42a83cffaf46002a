// AVX-512: one register holds the vector; 4 x 16 micro-tile, 8 pairs of accumulators.
#include <immintrin.h>

#include "reference/certified/kernels/constants.hpp"
#include "reference/certified/kernels/kernels.hpp"
#include "reference/tiles/exp_table.hpp"

namespace dca::certified {
namespace {

constexpr int rows_per_tile = 4;
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
inline V fms(V a, V b, V c) {
    return _mm512_fmsub_pd(a, b, c);
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
inline V absolute(V a) {
    return _mm512_abs_pd(a);
}

inline void exp_lookup(V shifted, V& th, V& tl) {
    const __m512i index = _mm512_castpd_si512(shifted);  // the permutation reads only the low four bits
    th = _mm512_permutex2var_pd(load(tiles::exp_table_hi), index, load(tiles::exp_table_hi + 8));
    tl = _mm512_permutex2var_pd(load(tiles::exp_table_lo), index, load(tiles::exp_table_lo + 8));
}
inline V sixteenth_floor(V k) {
    return _mm512_roundscale_pd(mul(k, broadcast(1.0 / 16)), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
/// The exponent field, with e in the low bits after adding 1.5 2^52.
inline V power_of_two(V e) {
    const __m512i bits = _mm512_castpd_si512(add(e, broadcast(0x1.8p52 + 1023)));
    return _mm512_castsi512_pd(_mm512_slli_epi64(bits, 52));
}
inline V zero_below(V e, double bound, V v) {
    return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(e, broadcast(bound), _CMP_GE_OQ), v);
}

#include "reference/certified/kernels/kernel_text.inc"

}  // namespace

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = kernel_table("avx512");

}  // namespace dca::certified
