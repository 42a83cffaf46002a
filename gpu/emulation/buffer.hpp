// Global memory of the emulated device: as many elements as the tensor has, none more, so that the machine's bounds
// are the tensor's; and poisoned, so that what a kernel did not write shows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "gpu/machine/emulated_block.hpp"
#include "gpu/machine/types.hpp"

namespace dca::gpu::emulation {

/// A quiet NaN with a payload that no arithmetic makes; of 16-bit types, NaN in bf16 and in f16.
template <class T>
[[nodiscard]] T poison() {
    if constexpr (std::is_same_v<T, double>) {
        return std::bit_cast<double>(std::uint64_t{0x7ff8dca0dca0dca0});
    } else if constexpr (std::is_same_v<T, float>) {
        return std::bit_cast<float>(std::uint32_t{0x7fdca0dc});
    } else {
        static_assert(std::is_same_v<T, std::uint16_t>);
        return 0x7fdc;
    }
}

template <class T>
class Buffer {
public:
    /// Poisoned.
    explicit Buffer(std::int64_t size) : size_(size), storage_(vectors(size)) {
        for (std::int64_t i = 0; i < size; ++i) data()[i] = poison<T>();
    }
    /// Precondition: T is trivially copyable.
    explicit Buffer(const std::vector<T>& values)
        : size_(static_cast<std::int64_t>(values.size())), storage_(vectors(size_)) {
        std::copy(values.begin(), values.end(), data());
    }

    [[nodiscard]] T* data() { return reinterpret_cast<T*>(storage_.data()); }
    [[nodiscard]] const T* data() const { return reinterpret_cast<const T*>(storage_.data()); }
    [[nodiscard]] Global<T> written() { return {data(), size_}; }
    [[nodiscard]] Global<const T> read() const { return {data(), size_}; }
    [[nodiscard]] std::int64_t size() const { return size_; }

    /// Throws MachineFault where an element still is what the constructor put there.
    void expect_complete(const char* name) const {
        const T untouched = poison<T>();
        std::int64_t missing = 0, first = -1;
        for (std::int64_t i = 0; i < size_; ++i) {
            if (std::memcmp(data() + i, &untouched, sizeof(T)) != 0) continue;
            if (missing++ == 0) first = i;
        }
        if (missing == 0) return;
        throw emulated::MachineFault("the kernels never wrote " + std::to_string(missing) + " of " +
                                     std::to_string(size_) + " elements of " + name + ", the first is element " +
                                     std::to_string(first));
    }

private:
    static std::size_t vectors(std::int64_t size) {
        return (static_cast<std::size_t>(size) * sizeof(T) + sizeof(Vector16) - 1) / sizeof(Vector16);
    }
    std::int64_t size_;
    std::vector<Vector16> storage_;  // its alignment is that of device memory, as far as kernels ask
};

}  // namespace dca::gpu::emulation
