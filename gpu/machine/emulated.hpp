// The machine on a CPU: every CUDA thread is a fiber, warp collectives are rendezvous in the lane layouts of the PTX
// manual. The same names as gpu/machine/device.cuh; each takes the place of the call besides, for messages.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "gpu/machine/emulated/arithmetic.hpp"
#include "gpu/machine/emulated/elements.hpp"
#include "gpu/machine/emulated_block.hpp"
#include "gpu/machine/types.hpp"

namespace dca::gpu {

struct Emulated {
    using Where = std::source_location;

    // --- who am I
    static int thread() { return emulated::block().thread(); }
    static int lane() { return thread() & 31; }
    static int warp() { return thread() >> 5; }
    static Index3 block() { return emulated::block().index(); }

    // --- barriers
    static void sync_block(Where at = Where::current()) { emulated::block().sync_block(at); }
    static void sync_warp(Where at = Where::current()) { emulated::block().sync_warp(at); }
    static void sync_named(int id, int threads, Where at = Where::current()) {
        emulated::block().sync_named(id, threads, at);
    }

    // --- shuffles and votes of a whole warp
    template <class T>
    static T shuffle_xor(T value, int mask, Where at = Where::current()) {
        return from_bits<T>(emulated::block().shuffle_xor(to_bits(value), sizeof(T), mask, at));
    }
    template <class T>
    static T shuffle(T value, int source, Where at = Where::current()) {
        return from_bits<T>(emulated::block().shuffle(to_bits(value), sizeof(T), source, at));
    }
    static bool any(bool value, Where at = Where::current()) { return ballot(value, at) != 0; }
    static bool all(bool value, Where at = Where::current()) { return ballot(value, at) == 0xffffffffu; }
    static std::uint32_t ballot(bool value, Where at = Where::current()) { return emulated::block().ballot(value, at); }

    // --- shared memory
    static SharedAddress shared() { return {0}; }
    template <class T>
    static T load_shared(SharedAddress from, Where at = Where::current()) {
        static_assert(one_access<T>);
        T value;
        emulated::block().read_shared(&value, from.byte, sizeof(T), at);
        return value;
    }
    template <class T>
    static void store_shared(SharedAddress to, T value, Where at = Where::current()) {
        static_assert(one_access<T>);
        emulated::block().write_shared(to.byte, &value, sizeof(T), at);
    }

    // --- global memory
    template <class T>
    static std::remove_const_t<T> load(Global<T> from, std::int64_t i, Where at = Where::current()) {
        emulated::block().check_global(from.data, i, 1, from.size, sizeof(T), alignof(T), at);
        return from.data[i];
    }
    template <class T>
    static void store(Global<T> to, std::int64_t i, T value, Where at = Where::current()) {
        emulated::block().check_global(to.data, i, 1, to.size, sizeof(T), alignof(T), at);
        to.data[i] = value;
    }
    template <class T>
    static Vector16 load_vector(Global<T> from, std::int64_t i, Where at = Where::current()) {
        emulated::block().check_global(from.data, i, 16 / sizeof(T), from.size, sizeof(T), 16, at);
        Vector16 value;
        std::memcpy(&value, from.data + i, 16);
        return value;
    }
    template <class T>
    static void store_vector(Global<T> to, std::int64_t i, Vector16 value, Where at = Where::current()) {
        emulated::block().check_global(to.data, i, 16 / sizeof(T), to.size, sizeof(T), 16, at);
        std::memcpy(to.data + i, &value, 16);
    }
    template <class T>
    static T atomic_add(Global<T> to, std::int64_t i, std::type_identity_t<T> value, Where at = Where::current()) {
        emulated::block().check_global(to.data, i, 1, to.size, sizeof(T), alignof(T), at);
        return std::atomic_ref<T>(to.data[i]).fetch_add(value);
    }

    // --- asynchronous 16-byte copies from global to shared memory
    template <class T>
    static void copy_async(SharedAddress to, Global<T> from, std::int64_t i, bool valid, Where at = Where::current()) {
        if (valid) emulated::block().check_global(from.data, i, 16 / sizeof(T), from.size, sizeof(T), 16, at);
        emulated::block().copy_async(to.byte, valid ? from.data + i : nullptr, at);
    }
    static void commit_async(Where at = Where::current()) { emulated::block().commit_async(at); }
    template <int Pending>
    static void wait_async(Where at = Where::current()) {
        static_assert(Pending >= 0);
        emulated::block().wait_async(Pending, at);
    }

    // --- matrices
    static void load_matrix_x4(std::uint32_t (&fragment)[4], SharedAddress row, Where at = Where::current()) {
        emulated::block().load_matrix_x4(fragment, row.byte, false, at);
    }
    static void load_matrix_x4_trans(std::uint32_t (&fragment)[4], SharedAddress row, Where at = Where::current()) {
        emulated::block().load_matrix_x4(fragment, row.byte, true, at);
    }
    template <class Element, int N>
    static void mma(float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2],
                    Where at = Where::current()) {
        emulated::block().mma(std::is_same_v<Element, Bf16>, N, c, a, b, at);
    }
    template <int N>
    static void mma_f64(double (*c)[4], const double (&a)[8], const double (*b)[4], Where at = Where::current()) {
        emulated::block().mma_f64(N, c, a, b, at);
    }

    // --- arithmetic
    static float exp2(float x) { return emulated::exp2(x); }
    static float log2(float x) { return emulated::log2(x); }
    static double exp(double x) { return emulated::exp(x); }
    static double log(double x) { return emulated::log(x); }
    static float fma(float a, float b, float c) { return std::fma(a, b, c); }
    static double fma(double a, double b, double c) { return std::fma(a, b, c); }
    static float max(float a, float b) { return emulated::max(a, b); }
    static double max(double a, double b) { return emulated::max(a, b); }

    // --- two 16-bit elements in a word
    template <class Element>
    static std::uint32_t pack(float low, float high) {
        return to_element<Element>(low) | static_cast<std::uint32_t>(to_element<Element>(high)) << 16;
    }
    template <class Element>
    static std::uint16_t to_element(float x) {
        if constexpr (std::is_same_v<Element, Bf16>)
            return emulated::bf16_from_float(x);
        else
            return emulated::f16_from_float(x);
    }
    template <class Element>
    static float from_element(std::uint16_t bits) {
        if constexpr (std::is_same_v<Element, Bf16>)
            return emulated::float_from_bf16(bits);
        else
            return emulated::float_from_f16(bits);
    }

private:
    template <class T>
    static constexpr bool one_access = sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8 ||
                                       sizeof(T) == 16;
    template <class T>
    static std::uint64_t to_bits(T value) {
        static_assert(sizeof(T) == 4 || sizeof(T) == 8);
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof(T));
        return bits;
    }
    template <class T>
    static T from_bits(std::uint64_t bits) {
        T value;
        std::memcpy(&value, &bits, sizeof(T));
        return value;
    }
};

}  // namespace dca::gpu
