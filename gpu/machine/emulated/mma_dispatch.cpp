#include "gpu/machine/emulated/mma.hpp"

namespace dca::gpu::emulated {

extern const MmaKernels avx512_mma, avx2_mma, portable_mma;

int mma_kernel_sets(const MmaKernels* (&sets)[3]) {
    int count = 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) sets[count++] = &avx512_mma;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets[count++] = &avx2_mma;
    sets[count++] = &portable_mma;
    return count;
}

const MmaKernels& mma_kernels() {
    static const MmaKernels* const best = [] {
        const MmaKernels* sets[3];
        static_cast<void>(mma_kernel_sets(sets));
        return sets[0];
    }();
    return *best;
}

}  // namespace dca::gpu::emulated
