// A tensor of a kernel under test: raw elements between guard bands. Reading or writing past either end is noticed:
// everything outside is NaN, and the bands are compared afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "verify/judge/judge.hpp"

namespace dca::judge {

class Buffer {
public:
    /// `count` elements, all NaN, aligned to 256 bytes as a GPU's allocator would.
    Buffer(Dtype dtype, std::int64_t count);

    [[nodiscard]] void* data() { return elements(); }
    [[nodiscard]] Dtype dtype() const { return dtype_; }
    [[nodiscard]] std::int64_t size() const { return count_; }

    /// Stores values that are exact in the dtype.
    void store(std::span<const double> values);
    /// Every element, widened.
    void load(std::span<double> values) const;
    /// Whether the elements are these, bit for bit as store() would write them.
    [[nodiscard]] bool holds(std::span<const double> values) const;
    /// What was written outside, one clause; empty when nothing was.
    [[nodiscard]] std::string damage() const;

private:
    [[nodiscard]] std::byte* elements() const;
    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(count_) * storage_bytes(dtype_); }
    void fill(std::byte* begin, std::size_t bytes) const;
    [[nodiscard]] std::size_t changed(const std::byte* begin, std::size_t bytes) const;

    Dtype dtype_;
    std::int64_t count_;
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace dca::judge
