// No particular instruction set: vectors of the compiler's own. f64 is slow where the processor has no fused
// multiply-add, and has the same bits as the others everywhere.
#include "gpu/machine/emulated/mma.hpp"

namespace dca::gpu::emulated {
namespace {

constexpr int floats = 4, doubles = 1, rows_f = 2;
using F = float __attribute__((vector_size(16)));
using D = double;
inline F load_f(const float* p) {
    return *reinterpret_cast<const F*>(p);
}
inline void store_f(float* p, F v) {
    *reinterpret_cast<F*>(p) = v;
}
inline F splat_f(float x) {
    return F{x, x, x, x};
}
inline D load_d(const double* p) {
    return *p;
}
inline void store_d(double* p, D v) {
    *p = v;
}
inline D splat_d(double x) {
    return x;
}
inline D fma_d(D a, D b, D c) {
    return __builtin_fma(a, b, c);
}

#include "gpu/machine/emulated/mma_text.inc"

}  // namespace

extern const MmaKernels portable_mma;
const MmaKernels portable_mma = {"portable", mma_float<Bf16Pair>, mma_float<F16Pair>, mma_double};

}  // namespace dca::gpu::emulated
