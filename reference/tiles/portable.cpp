// No particular instruction set: arrays and fma() from the C library. Slow where the processor has no fused
// multiply-add, and the same bits as the others everywhere.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "reference/tiles/exp_table.hpp"
#include "reference/tiles/kernels.hpp"

namespace dca::tiles {
namespace {

constexpr int rows_per_tile = 6;
constexpr int vectors_per_tile = 1;

struct V {
    double lane[8];
};
template <class F>
inline V map(F f) {
    V out;
    for (int i = 0; i < 8; ++i) out.lane[i] = f(i);
    return out;
}
inline V load(const double* p) {
    return map([&](int i) { return p[i]; });
}
inline void store(double* p, const V& v) {
    std::memcpy(p, v.lane, sizeof v.lane);
}
inline V broadcast(double x) {
    return map([&](int) { return x; });
}
inline V fma(const V& a, const V& b, const V& c) {
    return map([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
}
inline V add(const V& a, const V& b) {
    return map([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline V sub(const V& a, const V& b) {
    return map([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline V mul(const V& a, const V& b) {
    return map([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline V max(const V& a, const V& b) {
    return map([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}

inline void exp_lookup(const V& shifted, V& th, V& tl) {
    for (int i = 0; i < 8; ++i) {
        std::uint64_t bits;
        std::memcpy(&bits, &shifted.lane[i], sizeof bits);
        th.lane[i] = exp_table_hi[bits & 15];
        tl.lane[i] = exp_table_lo[bits & 15];
    }
}
inline V scale_by_power(const V& x, const V& k) {
    return map([&](int i) {
        if (!(k.lane[i] == k.lane[i])) return k.lane[i];
        return std::ldexp(x.lane[i], static_cast<int>(std::floor(k.lane[i] / 16)));
    });
}

inline int pack_rows_steps(int, const double*, std::ptrdiff_t, double*) {
    return 0;
}

#include "reference/tiles/kernel_text.inc"

}  // namespace

extern const Kernels portable_kernels;
const Kernels portable_kernels = kernel_table("portable");

}  // namespace dca::tiles
