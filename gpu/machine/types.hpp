// What both machines share: addresses, views, 16-bit elements, small vectors. No instruction, no emulation.
#pragma once

#include <cstdint>

// The one place where kernel text learns which compiler reads it. DCA_UNROLL stands before loops over arrays that must
// stay in registers; on a CPU there is nothing to gain.
#ifdef __CUDACC__
#define DCA_DEVICE __device__ __forceinline__
#define DCA_UNROLL _Pragma("unroll")
#define DCA_ROLL _Pragma("unroll 1")
#else
#define DCA_DEVICE inline __attribute__((always_inline))
#define DCA_UNROLL
#define DCA_ROLL
#endif

namespace dca::gpu {

/// Byte offset in the dynamic shared memory of a block, as ldmatrix, cp.async and ld.shared take it.
struct SharedAddress {
    std::uint32_t byte;
    constexpr DCA_DEVICE SharedAddress operator+(std::uint32_t bytes) const { return {byte + bytes}; }
};

/// A range of global memory: element i of [0, size). The emulated machine checks every access, a GPU none.
template <class T>
struct Global {
    T* data = nullptr;
    std::int64_t size = 0;
};

/// 16 bytes: what one asynchronous copy or one vector access moves.
struct alignas(16) Vector16 {
    std::uint32_t word[4];
};

struct Index3 {
    int x, y, z;
};

/// The 16-bit operand types of mma, as tags. Elements are stored as std::uint16_t.
struct Bf16 {};
struct F16 {};

}  // namespace dca::gpu
