// The products of mma for one warp, in the lane layouts of the PTX manual. No standard library beyond <cstdint>: this
// header is compiled with instruction sets the machine may lack.
#pragma once

#include <cstdint>

namespace dca::gpu::emulated {

/// Room for the operands of some tiles as matrices. Not on the stack: the one of whichever lane arrives last is cold.
struct alignas(64) MmaScratch {
    unsigned char bytes[20 * 1024];
};

/// Of each lane: a[4] words (f64: 8 doubles), b[count][2] words (f64: [count][4] doubles), c[count][4] float or double.
struct MmaOperands {
    const void* a[32];
    const void* b[32];
    void* c[32];
    MmaScratch* scratch;
};

/// c[i] += a b[i] for i < count, m16n8k16. f32: a product of two 16-bit elements has at most 22 bits and is exact (but
/// for bf16 products beyond the range of float); products are added to c one by one in ascending k, each sum rounded to
/// nearest even. f64: one chain of fused multiply-adds in ascending k. NaN results are the one NaN 0x7fffffff, in f64
/// 0x7fffffffffffffff. All instruction sets give the same bits.
struct MmaKernels {
    const char* name;  ///< avx512, avx2, portable
    void (*bf16)(int count, const MmaOperands& operands);
    void (*f16)(int count, const MmaOperands& operands);
    void (*f64)(int count, const MmaOperands& operands);
};

/// The fastest the processor has, and all it has.
[[nodiscard]] const MmaKernels& mma_kernels();
[[nodiscard]] int mma_kernel_sets(const MmaKernels* (&sets)[3]);

}  // namespace dca::gpu::emulated
