#include "verify/judge/buffer.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "reference/spec/dtype.hpp"
#include "reference/spec/error.hpp"
#include "verify/judge/problem.hpp"

namespace dca::judge {
namespace {

/// Bytes of NaN before and after the elements: some rows of most tensors, and a page.
constexpr std::size_t guard_bytes = 4096;
constexpr std::size_t alignment = 256;

struct Element {
    std::array<std::byte, 8> bytes{};
};

template <class T>
Element element_of(T value) {
    Element element;
    std::memcpy(element.bytes.data(), &value, sizeof value);
    return element;
}

/// A NaN whose bits no arithmetic makes: a payload of its own. The 8-bit formats have hardly any choice.
Element poison(Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return element_of(std::uint64_t{0x7ff8dca0dca0dca0});
        case Dtype::f32:
        case Dtype::tf32: return element_of(std::uint32_t{0x7fcdca00});
        case Dtype::f16: return element_of(std::uint16_t{0x7edc});
        case Dtype::bf16: return element_of(std::uint16_t{0x7fdc});
        case Dtype::e4m3:
        case Dtype::e5m2: return element_of(std::uint8_t{0x7f});
    }
    throw ContractError("unknown dtype");
}

Element encoded(Dtype dtype, double value) {
    switch (dtype) {
        case Dtype::f64: return element_of(value);
        case Dtype::f32:
        case Dtype::tf32: return element_of(static_cast<float>(value));
        case Dtype::f16:
        case Dtype::bf16: return element_of(dca::encode(to_internal(dtype), value));
        case Dtype::e4m3:
        case Dtype::e5m2: return element_of(static_cast<std::uint8_t>(dca::encode(to_internal(dtype), value)));
    }
    throw ContractError("unknown dtype");
}

template <class T>
T read_as(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

double decoded(Dtype dtype, const std::byte* at) {
    switch (dtype) {
        case Dtype::f64: return read_as<double>(at);
        case Dtype::f32:
        case Dtype::tf32: return read_as<float>(at);
        case Dtype::f16:
        case Dtype::bf16: return dca::decode(to_internal(dtype), read_as<std::uint16_t>(at));
        case Dtype::e4m3:
        case Dtype::e5m2: return dca::decode(to_internal(dtype), read_as<std::uint8_t>(at));
    }
    throw ContractError("unknown dtype");
}

}  // namespace

Buffer::Buffer(Dtype dtype, std::int64_t count) : dtype_(dtype), count_(count) {
    memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes() + 2 * guard_bytes + alignment);
    fill(elements() - guard_bytes, bytes() + 2 * guard_bytes);
}

std::byte* Buffer::elements() const {
    const auto address = std::bit_cast<std::uintptr_t>(memory_.get()) + guard_bytes;
    const std::size_t shift = (alignment - address % alignment) % alignment;
    return memory_.get() + guard_bytes + shift;
}

void Buffer::fill(std::byte* begin, std::size_t bytes) const {
    const Element nan = poison(dtype_);
    const std::size_t step = storage_bytes(dtype_);
    for (std::size_t i = 0; i < bytes; i += step) std::memcpy(begin + i, nan.bytes.data(), step);
}

void Buffer::store(std::span<const double> values) {
    expects(static_cast<std::int64_t>(values.size()) == count_, "Buffer: another number of values");
    const std::size_t step = storage_bytes(dtype_);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::memcpy(elements() + i * step, encoded(dtype_, values[i]).bytes.data(), step);
    }
}

void Buffer::load(std::span<double> values) const {
    expects(static_cast<std::int64_t>(values.size()) == count_, "Buffer: another number of values");
    const std::size_t step = storage_bytes(dtype_);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = decoded(dtype_, elements() + i * step);
}

bool Buffer::holds(std::span<const double> values) const {
    expects(static_cast<std::int64_t>(values.size()) == count_, "Buffer: another number of values");
    const std::size_t step = storage_bytes(dtype_);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::memcmp(elements() + i * step, encoded(dtype_, values[i]).bytes.data(), step) != 0) return false;
    }
    return true;
}

std::size_t Buffer::changed(const std::byte* begin, std::size_t bytes) const {
    const Element nan = poison(dtype_);
    const std::size_t step = storage_bytes(dtype_);
    std::size_t count = 0;
    for (std::size_t i = 0; i < bytes; i += step) count += std::memcmp(begin + i, nan.bytes.data(), step) != 0;
    return count;
}

std::string Buffer::damage() const {
    const std::size_t before = changed(elements() - guard_bytes, guard_bytes);
    const std::size_t after = changed(elements() + bytes(), guard_bytes);
    if (before == 0 && after == 0) return {};
    const auto elements_text = [](std::size_t count) {
        return std::to_string(count) + (count == 1 ? " element" : " elements");
    };
    if (after == 0) return elements_text(before) + " before its begin";
    if (before == 0) return elements_text(after) + " behind its end";
    return elements_text(before) + " before its begin and " + std::to_string(after) + " behind its end";
}

}  // namespace dca::judge
