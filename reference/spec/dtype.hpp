// The number formats a candidate may work in: names, precisions, round to nearest even, and 8/16-bit storage.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dca {

enum class Dtype : std::uint8_t { f64, f32, tf32, f16, bf16, e4m3, e5m2 };

/// What distinguishes a format. precision counts the significand bits with the hidden one.
struct DtypeTraits {
    Dtype dtype;
    std::string_view name;
    int precision;
    int min_exponent;   ///< smallest normal number is 2^min_exponent
    double max_finite;  ///< values that round beyond it become infinite (e4m3, which has no infinity: NaN)
    int storage_bits;   ///< bits of one stored element (tf32 is stored as f32)
};

[[nodiscard]] const DtypeTraits& traits(Dtype dtype);
[[nodiscard]] inline std::string_view name(Dtype dtype) {
    return traits(dtype).name;
}
[[nodiscard]] std::optional<Dtype> parse_dtype(std::string_view text);

/// Half the spacing of 1: 2^-precision.
[[nodiscard]] double unit_roundoff(Dtype dtype);
/// Spacing of the subnormal numbers, 2^(min_exponent - precision + 1).
[[nodiscard]] double subnormal_spacing(Dtype dtype);

/// The value of dtype nearest to x, ties to even, subnormals included (IEEE 754; e4m3 and e5m2: OCP 8-bit floating
/// point specification 1.0, without saturation). Exact: one rounding from double.
[[nodiscard]] double round_to(Dtype dtype, double x);

/// Bit pattern of x in an 8- or 16-bit format (f16, bf16, e4m3, e5m2); x is rounded first.
[[nodiscard]] std::uint16_t encode(Dtype dtype, double x);
/// Value of a bit pattern of an 8- or 16-bit format.
[[nodiscard]] double decode(Dtype dtype, std::uint16_t bits);

}  // namespace dca
