// The element types of .npz and .safetensors tensors, and their values as double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/spec/dtype.hpp"

namespace dca::verify {

enum class ElementType : std::uint8_t { f64, f32, f16, bf16, e4m3, e5m2, i64, i32 };

[[nodiscard]] std::size_t size_of(ElementType type);
[[nodiscard]] bool is_floating(ElementType type);
/// Precondition: is_floating(type).
[[nodiscard]] Dtype dtype_of(ElementType type);

/// values[i] = element i of bytes, exactly (i64 beyond 2^53 to the nearest double).
/// Precondition: bytes.size() == values.size() * size_of(type).
void decode_elements(ElementType type, bool big_endian, std::span<const std::byte> bytes, std::span<double> values);

}  // namespace dca::verify
