// An input of a kernel under test: raw elements between bands of NaN. What is read past either end spoils the result,
// and what is written, there or over the elements, is noticed. (Outputs are in a verify::PoisonedBuffer.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "verify/judge/judge.hpp"

namespace dca::judge {

class LentBuffer {
public:
    /// Holds the values, which are exact in the dtype, on a border of 256 bytes. They outlive the buffer.
    LentBuffer(std::string name, Dtype dtype, std::span<const double> values);

    [[nodiscard]] const void* data() const { return elements(); }
    /// What the kernel did wrong, one clause; empty: everything is as it was.
    [[nodiscard]] std::string inspect() const;

private:
    [[nodiscard]] std::byte* elements() const;
    [[nodiscard]] std::size_t bytes() const { return values_.size() * storage_bytes(dtype_); }

    std::string name_;
    Dtype dtype_;
    std::span<const double> values_;
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace dca::judge
