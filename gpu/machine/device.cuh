// The machine on a GPU: every member is one PTX instruction or one CUDA intrinsic. Read with docs/kernels.md, which
// states what each promises; gpu/machine/emulated.hpp has the same names. Only nvcc reads this file.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

struct Device {
    // --- who am I
    static DCA_DEVICE int thread() { return static_cast<int>(threadIdx.x); }
    static DCA_DEVICE int lane() { return static_cast<int>(threadIdx.x) & 31; }
    static DCA_DEVICE int warp() { return static_cast<int>(threadIdx.x) >> 5; }
    static DCA_DEVICE Index3 block() {
        return {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z)};
    }

    // --- barriers
    static DCA_DEVICE void sync_block() { __syncthreads(); }
    static DCA_DEVICE void sync_warp() { __syncwarp(); }
    /// `threads` of the block, whole warps, meet at barrier id 1 .. 15.
    static DCA_DEVICE void sync_named(int id, int threads) {
        asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
    }

    // --- shuffles and votes of a whole warp
    template <class T>
    static DCA_DEVICE T shuffle_xor(T value, int mask) {
        return __shfl_xor_sync(0xffffffffu, value, mask);
    }
    template <class T>
    static DCA_DEVICE T shuffle(T value, int source) {
        return __shfl_sync(0xffffffffu, value, source);
    }
    static DCA_DEVICE bool any(bool value) { return __any_sync(0xffffffffu, value) != 0; }
    static DCA_DEVICE bool all(bool value) { return __all_sync(0xffffffffu, value) != 0; }
    static DCA_DEVICE std::uint32_t ballot(bool value) { return __ballot_sync(0xffffffffu, value); }

    // --- shared memory; T of 2, 4, 8 or 16 bytes, at a multiple of its size
    static DCA_DEVICE SharedAddress shared() {
        extern __shared__ __align__(1024) unsigned char dca_shared_memory[];
        return {static_cast<std::uint32_t>(__cvta_generic_to_shared(dca_shared_memory))};
    }
    template <class T>
    static DCA_DEVICE T load_shared(SharedAddress at) {
        return *static_cast<const T*>(__cvta_shared_to_generic(at.byte));
    }
    template <class T>
    static DCA_DEVICE void store_shared(SharedAddress at, T value) {
        *static_cast<T*>(__cvta_shared_to_generic(at.byte)) = value;
    }

    // --- global memory
    template <class T>
    static DCA_DEVICE std::remove_const_t<T> load(Global<T> from, std::int64_t i) {
        return from.data[i];
    }
    template <class T>
    static DCA_DEVICE void store(Global<T> to, std::int64_t i, T value) {
        to.data[i] = value;
    }
    /// 16 bytes from element i on; the address is a multiple of 16.
    template <class T>
    static DCA_DEVICE Vector16 load_vector(Global<T> from, std::int64_t i) {
        return *reinterpret_cast<const Vector16*>(from.data + i);
    }
    template <class T>
    static DCA_DEVICE void store_vector(Global<T> to, std::int64_t i, Vector16 value) {
        *reinterpret_cast<Vector16*>(to.data + i) = value;
    }
    static DCA_DEVICE float atomic_add(Global<float> to, std::int64_t i, float value) {
        return atomicAdd(to.data + i, value);
    }
    static DCA_DEVICE int atomic_add(Global<int> to, std::int64_t i, int value) {
        return atomicAdd(to.data + i, value);
    }

    // --- asynchronous 16-byte copies from global to shared memory
    /// Zeros are written, and nothing is read, where `valid` is false.
    template <class T>
    static DCA_DEVICE void copy_async(SharedAddress to, Global<T> from, std::int64_t i, bool valid) {
        const T* source = from.data + i;  // may lie anywhere where no byte of it is read
        const int bytes = valid ? 16 : 0;
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to.byte), "l"(source), "r"(bytes)
                     : "memory");
    }
    static DCA_DEVICE void commit_async() { asm volatile("cp.async.commit_group;" ::: "memory"); }
    /// Waits until at most `Pending` of this thread's youngest groups are unfinished.
    template <int Pending>
    static DCA_DEVICE void wait_async() {
        asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
    }

    // --- matrices: four 8 x 8 of 16-bit elements; lane l names row l % 8 of matrix l / 8
    static DCA_DEVICE void load_matrix_x4(std::uint32_t (&fragment)[4], SharedAddress row) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                     : "r"(row.byte)
                     : "memory");
    }
    static DCA_DEVICE void load_matrix_x4_trans(std::uint32_t (&fragment)[4], SharedAddress row) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                     : "r"(row.byte)
                     : "memory");
    }

    // --- c[i] += a b[i], m16n8k16, f32 accumulate, for i in 0 .. N-1
    template <class Element, int N>
    static DCA_DEVICE void mma(float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2]) {
#pragma unroll
        for (int i = 0; i < N; ++i) {
            if constexpr (std::is_same_v<Element, Bf16>) {
                asm volatile(
                    "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                    "{%0,%1,%2,%3};"
                    : "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])
                    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[i][0]), "r"(b[i][1]));
            } else {
                asm volatile(
                    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                    "{%0,%1,%2,%3};"
                    : "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])
                    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[i][0]), "r"(b[i][1]));
            }
        }
    }
    /// The same in f64; sm_90 and later.
    template <int N>
    static DCA_DEVICE void mma_f64(double (*c)[4], const double (&a)[8], const double (*b)[4]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#pragma unroll
        for (int i = 0; i < N; ++i) {
            asm volatile(
                "mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64 {%0,%1,%2,%3}, {%4,%5,%6,%7,%8,%9,%10,%11}, "
                "{%12,%13,%14,%15}, {%0,%1,%2,%3};"
                : "+d"(c[i][0]), "+d"(c[i][1]), "+d"(c[i][2]), "+d"(c[i][3])
                : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(a[4]), "d"(a[5]), "d"(a[6]), "d"(a[7]), "d"(b[i][0]),
                  "d"(b[i][1]), "d"(b[i][2]), "d"(b[i][3]));
        }
#else
        __trap();
#endif
    }

    // --- arithmetic
    static DCA_DEVICE float exp2(float x) {
        float y;
        asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
        return y;
    }
    static DCA_DEVICE float log2(float x) {
        return ::log2f(x);
    }
    static DCA_DEVICE double exp(double x) {
        return ::exp(x);
    }
    static DCA_DEVICE double log(double x) {
        return ::log(x);
    }
    static DCA_DEVICE float fma(float a, float b, float c) {
        return __fmaf_rn(a, b, c);
    }
    static DCA_DEVICE double fma(double a, double b, double c) {
        return __fma_rn(a, b, c);
    }
    static DCA_DEVICE float max(float a, float b) {
        return fmaxf(a, b);
    }
    static DCA_DEVICE double max(double a, double b) {
        return ::fmax(a, b);
    }

    // --- two 16-bit elements in a word, `low` in the low half; rounded to nearest even
    template <class Element>
    static DCA_DEVICE std::uint32_t pack(float low, float high) {
        std::uint32_t word;
        if constexpr (std::is_same_v<Element, Bf16>) {
            asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        } else {
            asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        }
        return word;
    }
    template <class Element>
    static DCA_DEVICE std::uint16_t to_element(float x) {
        return static_cast<std::uint16_t>(pack<Element>(x, 0.0f));
    }
    template <class Element>
    static DCA_DEVICE float from_element(std::uint16_t bits) {
        if constexpr (std::is_same_v<Element, Bf16>) {
            return __uint_as_float(static_cast<std::uint32_t>(bits) << 16);
        } else {
            return __half2float(__ushort_as_half(bits));
        }
    }
};

}  // namespace dca::gpu
