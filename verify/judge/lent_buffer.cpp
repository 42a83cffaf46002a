#include "verify/judge/lent_buffer.hpp"

#include <bit>
#include <cstring>

#include "reference/spec/dtype.hpp"
#include "reference/spec/error.hpp"
#include "verify/judge/problem.hpp"

namespace dca::judge {
namespace {

/// Bytes of NaN on each side: a page, which is some rows of most tensors.
constexpr std::size_t band_bytes = 4096;
constexpr std::size_t alignment = 256;

/// The bits of a stored element, in the low bytes (little-endian machines alone, as in all of this project).
std::uint64_t encoded(Dtype dtype, double value) {
    switch (dtype) {
        case Dtype::f64: return std::bit_cast<std::uint64_t>(value);
        case Dtype::f32:
        case Dtype::tf32: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
        case Dtype::f16:
        case Dtype::bf16:
        case Dtype::e4m3:
        case Dtype::e5m2: return dca::encode(to_internal(dtype), value);
    }
    throw ContractError("unknown dtype");
}

/// All bits but the sign: a NaN in every format.
constexpr std::uint64_t nan_bits = 0x7fffffffffffffff;
std::uint64_t nan_of(Dtype dtype) {
    return nan_bits >> (64 - 8 * storage_bytes(dtype));
}

void put(std::byte* to, std::uint64_t bits, std::size_t width) {
    std::memcpy(to, &bits, width);
}

bool holds(const std::byte* at, std::uint64_t bits, std::size_t width) {
    return std::memcmp(at, &bits, width) == 0;
}

bool holds_everywhere(const std::byte* at, std::size_t bytes, std::uint64_t bits, std::size_t width) {
    for (std::size_t i = 0; i < bytes; i += width) {
        if (!holds(at + i, bits, width)) return false;
    }
    return true;
}

}  // namespace

LentBuffer::LentBuffer(std::string name, Dtype dtype, std::span<const double> values)
    : name_(std::move(name)), dtype_(dtype), values_(values) {
    memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes() + 2 * band_bytes + alignment);
    const std::size_t width = storage_bytes(dtype_);
    for (std::size_t i = 0; i < band_bytes; i += width) {
        put(elements() - band_bytes + i, nan_of(dtype_), width);
        put(elements() + bytes() + i, nan_of(dtype_), width);
    }
    for (std::size_t i = 0; i < values_.size(); ++i) put(elements() + i * width, encoded(dtype_, values_[i]), width);
}

std::byte* LentBuffer::elements() const {
    std::byte* first = memory_.get() + band_bytes;
    return first + (alignment - std::bit_cast<std::uintptr_t>(first) % alignment) % alignment;
}

std::string LentBuffer::inspect() const {
    const std::size_t width = storage_bytes(dtype_);
    const std::uint64_t nan = nan_of(dtype_);
    if (!holds_everywhere(elements() - band_bytes, band_bytes, nan, width)) {
        return "wrote before the start of its input " + name_;
    }
    if (!holds_everywhere(elements() + bytes(), band_bytes, nan, width)) {
        return "wrote past the end of its input " + name_;
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (!holds(elements() + i * width, encoded(dtype_, values_[i]), width)) return "changed its input " + name_;
    }
    return {};
}

}  // namespace dca::judge
