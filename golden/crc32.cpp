// A message is a polynomial over GF(2) and its checksum the remainder modulo P. 128 bits of it that lie D bits ahead of
// the end are replaced by their product with x^D mod P, which leaves the remainder alone (V. Gopal et al., "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009). What is left, 16 bytes, zlib
// finishes.
#include "golden/crc32.hpp"

#include <zlib.h>

#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

std::uint32_t by_zlib(std::uint32_t so_far, std::span<const std::byte> bytes) {
    return static_cast<std::uint32_t>(crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

#if defined(__x86_64__)

/// x^power mod P in the order of bits of the checksum (bit 31 is x^0), shifted up by one: the product of two such
/// reflected factors lacks one.
constexpr std::uint64_t reflected_power(int power) {
    std::uint32_t remainder = 0x80000000u;
    for (int i = 0; i < power; ++i) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xedb88320u : 0u);
    return std::uint64_t{remainder} << 1;
}

/// Factors that move the low and the high 64 bits of a register ahead by so many bits.
template <int Bits>
__attribute__((target("pclmul,sse2"))) inline __m128i factors() {
    constexpr std::uint64_t low = reflected_power(Bits + 32), high = reflected_power(Bits - 32);
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

__attribute__((target("pclmul,sse2"))) inline __m128i fold(__m128i ahead, __m128i by, __m128i onto) {
    const __m128i low = _mm_clmulepi64_si128(ahead, by, 0x00), high = _mm_clmulepi64_si128(ahead, by, 0x11);
    return _mm_xor_si128(onto, _mm_xor_si128(low, high));
}

__attribute__((target("pclmul,sse2"))) inline __m128i load(const std::byte* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

/// Ends what one register is congruent to, and the bytes that follow it.
__attribute__((target("pclmul,sse2"))) std::uint32_t finish(__m128i all, const std::byte* at, std::size_t size) {
    const __m128i near = factors<128>();
    for (; size >= 16; at += 16, size -= 16) all = fold(all, near, load(at));
    alignas(16) std::byte rest[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(rest), all);
    const std::uint32_t empty_register = 0xffffffffu;  // what zlib complements to a remainder of 0
    return by_zlib(by_zlib(empty_register, rest), {at, size});
}

/// Precondition: at least 64 bytes.
__attribute__((target("pclmul,sse2"))) std::uint32_t by_folding(std::uint32_t so_far, const std::byte* at,
                                                                std::size_t size) {
    const __m128i far = factors<512>(), near = factors<128>();
    __m128i a = _mm_xor_si128(load(at), _mm_cvtsi32_si128(static_cast<int>(~so_far)));
    __m128i b = load(at + 16), c = load(at + 32), d = load(at + 48);
    for (at += 64, size -= 64; size >= 64; at += 64, size -= 64) {
        a = fold(a, far, load(at));
        b = fold(b, far, load(at + 16));
        c = fold(c, far, load(at + 32));
        d = fold(d, far, load(at + 48));
    }
    return finish(fold(fold(fold(a, near, b), near, c), near, d), at, size);
}

#define WIDE __attribute__((target("vpclmulqdq,avx512f,avx512dq,pclmul,sse2")))

WIDE inline __m512i fold(__m512i ahead, __m512i by, __m512i onto) {
    const __m512i low = _mm512_clmulepi64_epi128(ahead, by, 0x00), high = _mm512_clmulepi64_epi128(ahead, by, 0x11);
    return _mm512_ternarylogic_epi64(low, high, onto, 0x96);  // the exclusive or of all three
}

/// by_folding on registers of 64 bytes. Precondition: at least 256 bytes.
WIDE std::uint32_t by_wide_folding(std::uint32_t so_far, const std::byte* at, std::size_t size) {
    const __m512i far = _mm512_broadcast_i32x4(factors<2048>()), near = _mm512_broadcast_i32x4(factors<512>());
    const __m512i begun = _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~so_far)));
    __m512i a = _mm512_xor_si512(_mm512_loadu_si512(at), begun);
    __m512i b = _mm512_loadu_si512(at + 64), c = _mm512_loadu_si512(at + 128), d = _mm512_loadu_si512(at + 192);
    for (at += 256, size -= 256; size >= 256; at += 256, size -= 256) {
        a = fold(a, far, _mm512_loadu_si512(at));
        b = fold(b, far, _mm512_loadu_si512(at + 64));
        c = fold(c, far, _mm512_loadu_si512(at + 128));
        d = fold(d, far, _mm512_loadu_si512(at + 192));
    }
    a = fold(fold(fold(a, near, b), near, c), near, d);
    const __m128i step = factors<128>();
    __m128i all = fold(_mm512_extracti32x4_epi32(a, 0), step, _mm512_extracti32x4_epi32(a, 1));
    all = fold(all, step, _mm512_extracti32x4_epi32(a, 2));
    all = fold(all, step, _mm512_extracti32x4_epi32(a, 3));
    return finish(all, at, size);
}

#undef WIDE

using Folding = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t);

/// The widest folding that the processor has for so many bytes; null: none.
Folding folding(std::size_t size) {
    static const bool narrow = __builtin_cpu_supports("pclmul") != 0;
    static const bool wide = narrow && __builtin_cpu_supports("vpclmulqdq") != 0 &&
                             __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0;
    if (wide && size >= 256) return by_wide_folding;
    return narrow && size >= 64 ? by_folding : nullptr;
}

#endif

}  // namespace

std::uint32_t crc32(std::uint32_t so_far, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
    if (const Folding fast = folding(bytes.size())) return fast(so_far, bytes.data(), bytes.size());
#endif
    return by_zlib(so_far, bytes);
}

std::uint32_t crc32_of_both(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) {
    return static_cast<std::uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(second_size)));
}

void require_checksum(std::optional<std::uint32_t> wanted, std::uint32_t actual) {
    if (!wanted || *wanted == actual) return;
    throw FormatError("checksum mismatch: crc32 is " + std::to_string(actual) + ", the file says " +
                      std::to_string(*wanted) + "; the data was altered or damaged");
}

}  // namespace dca::golden
