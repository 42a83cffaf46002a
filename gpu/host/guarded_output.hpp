// An output as it lies on a device before a kernel runs: every element a NaN no arithmetic makes, guards on both sides.
// For the launcher that owns its buffers; the emulated machine checks every access instead.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dca::gpu::host {

/// Bits: std::uint16_t (bf16, f16), std::uint32_t (float), std::uint64_t (double).
template <class Bits>
class GuardedOutput {
public:
    static constexpr std::int64_t guard = 4096;  ///< elements on each side; keeps element 0 at a multiple of 256 bytes

    explicit GuardedOutput(std::int64_t size)
        : storage_(static_cast<std::size_t>(size + 2 * guard), guard_bits), size_(size) {
        std::fill_n(storage_.begin() + guard, size, unwritten_bits);
    }

    /// Guards and output: what is copied to the device and back.
    [[nodiscard]] std::span<Bits> whole() { return storage_; }
    [[nodiscard]] std::span<const Bits> whole() const { return storage_; }
    [[nodiscard]] std::span<const Bits> values() const {
        return std::span<const Bits>(storage_).subspan(guard, static_cast<std::size_t>(size_));
    }

    /// What a kernel did wrong, one clause that begins with `name`, or nothing.
    [[nodiscard]] std::string inspect(const std::string& name) const {
        const auto begin = storage_.begin();
        const auto changed = [](Bits bits) { return bits != guard_bits; };
        const auto before = std::count_if(begin, begin + guard, changed);
        const auto after = std::count_if(begin + guard + size_, storage_.end(), changed);
        if (before > 0) return name + ": " + std::to_string(before) + " elements before its start were written";
        if (after > 0) return name + ": " + std::to_string(after) + " elements beyond its end were written";
        const auto first = std::find(begin + guard, begin + guard + size_, unwritten_bits);
        if (first == begin + guard + size_) return {};
        const auto count = std::count(first, begin + guard + size_, unwritten_bits);
        return name + ": " + std::to_string(count) + " elements were not written, the first at flat index " +
               std::to_string(first - (begin + guard));
    }

private:
    /// A quiet NaN with a payload, in f16 as in bf16 for 16 bits.
    static constexpr Bits unwritten_bits = sizeof(Bits) == 2   ? static_cast<Bits>(0x7fd5)
                                           : sizeof(Bits) == 4 ? static_cast<Bits>(0x7fd5dca1)
                                                               : static_cast<Bits>(0x7ffdca1fdca1dca1);
    /// A small normal number: changed by any store of a result, and by adding one to it.
    static constexpr Bits guard_bits = sizeof(Bits) == 2   ? static_cast<Bits>(0x0400)
                                       : sizeof(Bits) == 4 ? static_cast<Bits>(0x00800000)
                                                           : static_cast<Bits>(0x0010000000000000);

    std::vector<Bits> storage_;
    std::int64_t size_ = 0;
};

}  // namespace dca::gpu::host
