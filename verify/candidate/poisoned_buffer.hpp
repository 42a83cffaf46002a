// The buffer a kernel writes one output into, prepared so that what it leaves unwritten and what it writes beside it
// show: for candidates that are kernels and not programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "verify/candidate/element_type.hpp"

namespace dca::verify {

/// A kernel left elements unwritten or wrote outside its output. dca gate shows the text as the reason of the case.
struct BufferFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Every element starts as a quiet NaN with a payload no arithmetic makes: it survives being added to, and no stale or
/// recycled memory can stand in for a result. On both sides lie guard elements with a tiny normal number, which changes
/// when anything is stored there and also when anything is added to it. e4m3 and e5m2 have no payload: of those, an
/// unwritten element and a NaN that was written look alike.
class PoisonedBuffer {
public:
    static constexpr std::int64_t default_guard = 4096;

    /// name: of the output, for messages. extents: (batch, row, head, channel), or (batch, head, row) for lse; at least
    /// one element. guard: elements on each side, at least 1.
    PoisonedBuffer(std::string name, ElementType type, std::vector<std::int64_t> extents,
                   std::int64_t guard = default_guard);

    /// Element 0 of the output, on a border of 256 bytes.
    [[nodiscard]] void* data() { return whole().data() + offset(); }
    /// Guards and output: what is copied to a device and back where the kernel does not run in host memory.
    [[nodiscard]] std::span<std::byte> whole() { return {begin(), size_}; }
    [[nodiscard]] std::span<const std::byte> whole() const { return {begin(), size_}; }
    /// Of element 0 in whole(), in bytes; a multiple of 256.
    [[nodiscard]] std::size_t offset() const { return guard_bytes_; }

    /// Poisons everything again, for another run.
    void poison();
    /// What the kernel did wrong, one clause, or nothing: "wrote 3 elements before the start of out".
    [[nodiscard]] std::string inspect() const;
    /// The values as written, row-major. Throws BufferFault with the text of inspect() unless that is empty.
    [[nodiscard]] std::vector<double> values() const;

private:
    [[nodiscard]] std::byte* begin() { return storage_.data() + shift_; }
    [[nodiscard]] const std::byte* begin() const { return storage_.data() + shift_; }
    [[nodiscard]] std::string outside() const;
    [[nodiscard]] std::string unwritten() const;

    std::string name_;
    ElementType type_;
    std::vector<std::int64_t> extents_;
    std::size_t count_ = 0, guard_bytes_ = 0, size_ = 0, shift_ = 0;
    std::vector<std::byte> storage_;
};

}  // namespace dca::verify
