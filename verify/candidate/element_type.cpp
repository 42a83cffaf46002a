#include "verify/candidate/element_type.hpp"

#include <bit>

#include "reference/spec/error.hpp"

namespace dca::verify {
namespace {

/// The bits of one element, whatever the byte order of file and machine.
std::uint64_t bits_of(std::span<const std::byte> element, bool big_endian) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < element.size(); ++i) {
        const std::size_t at = big_endian ? i : element.size() - 1 - i;
        bits = bits << 8 | std::to_integer<std::uint64_t>(element[at]);
    }
    return bits;
}

double value_of(ElementType type, std::uint64_t bits) {
    const auto low32 = static_cast<std::uint32_t>(bits);
    const auto low16 = static_cast<std::uint16_t>(bits);
    switch (type) {
        case ElementType::f64: return std::bit_cast<double>(bits);
        case ElementType::f32: return double{std::bit_cast<float>(low32)};
        case ElementType::f16: return decode(Dtype::f16, low16);
        case ElementType::bf16: return decode(Dtype::bf16, low16);
        case ElementType::e4m3: return decode(Dtype::e4m3, low16);
        case ElementType::e5m2: return decode(Dtype::e5m2, low16);
        case ElementType::i64: return static_cast<double>(std::bit_cast<std::int64_t>(bits));
        case ElementType::i32: return static_cast<double>(std::bit_cast<std::int32_t>(low32));
    }
    throw ContractError("element type without a value");
}

}  // namespace

std::size_t size_of(ElementType type) {
    switch (type) {
        case ElementType::f64:
        case ElementType::i64: return 8;
        case ElementType::f32:
        case ElementType::i32: return 4;
        case ElementType::f16:
        case ElementType::bf16: return 2;
        case ElementType::e4m3:
        case ElementType::e5m2: return 1;
    }
    throw ContractError("element type without a size");
}

bool is_floating(ElementType type) {
    return type != ElementType::i64 && type != ElementType::i32;
}

Dtype dtype_of(ElementType type) {
    switch (type) {
        case ElementType::f64: return Dtype::f64;
        case ElementType::f32: return Dtype::f32;
        case ElementType::f16: return Dtype::f16;
        case ElementType::bf16: return Dtype::bf16;
        case ElementType::e4m3: return Dtype::e4m3;
        case ElementType::e5m2: return Dtype::e5m2;
        case ElementType::i64:
        case ElementType::i32: break;
    }
    throw ContractError("an integer type has no dtype");
}

void decode_elements(ElementType type, bool big_endian, std::span<const std::byte> bytes, std::span<double> values) {
    const std::size_t size = size_of(type);
    expects(bytes.size() == values.size() * size, "decode_elements: sizes differ");
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = value_of(type, bits_of(bytes.subspan(i * size, size), big_endian));
    }
}

}  // namespace dca::verify
