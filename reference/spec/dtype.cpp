#include "reference/spec/dtype.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "reference/spec/error.hpp"

namespace dca {
namespace {

constexpr std::array<DtypeTraits, 7> table{{
    {Dtype::f64, "f64", 53, -1022, std::numeric_limits<double>::max(), 64},
    {Dtype::f32, "f32", 24, -126, 0x1.fffffep127, 32},
    {Dtype::tf32, "tf32", 11, -126, 0x1.ffcp127, 32},
    {Dtype::f16, "f16", 11, -14, 65504.0, 16},
    {Dtype::bf16, "bf16", 8, -126, 0x1.fep127, 16},
    {Dtype::e4m3, "e4m3", 4, -6, 448.0, 8},
    {Dtype::e5m2, "e5m2", 3, -14, 57344.0, 8},
}};

constexpr std::uint16_t sign_bit(const DtypeTraits& t) {
    return std::uint16_t(1u << (t.storage_bits - 1));
}
constexpr int fraction_bits(const DtypeTraits& t) {
    return t.precision - 1;
}
constexpr int bias(const DtypeTraits& t) {
    return 1 - t.min_exponent;
}
/// e4m3 spends only one pattern on NaN and none on infinity, so its top binade holds finite values.
constexpr bool has_infinity(const DtypeTraits& t) {
    return t.dtype != Dtype::e4m3;
}

std::uint16_t exponent_mask(const DtypeTraits& t) {
    return std::uint16_t((sign_bit(t) - 1) & ~((1u << fraction_bits(t)) - 1));
}

}  // namespace

const DtypeTraits& traits(Dtype dtype) {
    return table[static_cast<std::size_t>(dtype)];
}

std::optional<Dtype> parse_dtype(std::string_view text) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& t) { return t.name == text; });
    return found == table.end() ? std::nullopt : std::optional(found->dtype);
}

double unit_roundoff(Dtype dtype) {
    return std::ldexp(1.0, -traits(dtype).precision);
}

double subnormal_spacing(Dtype dtype) {
    const DtypeTraits& t = traits(dtype);
    return std::ldexp(1.0, t.min_exponent - t.precision + 1);
}

double round_to(Dtype dtype, double x) {
    const DtypeTraits& t = traits(dtype);
    if (dtype == Dtype::f64 || x == 0 || !std::isfinite(x)) return x;
    const int exponent = std::max(std::ilogb(x), t.min_exponent);
    const int spacing_exponent = exponent - (t.precision - 1);
    // Scaling by powers of two is exact here: |x| is far from double's own limits after the shift. nearbyint rounds
    // ties to even in the default rounding mode.
    const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -spacing_exponent)), spacing_exponent);
    if (std::abs(rounded) <= t.max_finite) return rounded;
    return has_infinity(t) ? std::copysign(std::numeric_limits<double>::infinity(), x)
                           : std::numeric_limits<double>::quiet_NaN();
}

std::uint16_t encode(Dtype dtype, double x) {
    const DtypeTraits& t = traits(dtype);
    expects(t.storage_bits <= 16, "encode: the format has more than 16 bits");
    const double value = round_to(dtype, x);
    const std::uint16_t sign = std::signbit(value) ? sign_bit(t) : std::uint16_t{0};
    if (std::isnan(value)) return std::uint16_t(sign | (sign_bit(t) - 1));
    if (std::isinf(value)) return std::uint16_t(sign | exponent_mask(t));
    if (value == 0) return sign;
    const int exponent = std::max(std::ilogb(value), t.min_exponent);
    const auto significand = static_cast<std::uint32_t>(std::ldexp(std::abs(value), fraction_bits(t) - exponent));
    const bool normal = significand >> fraction_bits(t) != 0;
    const std::uint32_t biased = normal ? static_cast<std::uint32_t>(exponent + bias(t)) : 0u;
    const std::uint32_t fraction = significand & ((1u << fraction_bits(t)) - 1);
    return std::uint16_t(sign | (biased << fraction_bits(t)) | fraction);
}

double decode(Dtype dtype, std::uint16_t bits) {
    const DtypeTraits& t = traits(dtype);
    expects(t.storage_bits <= 16, "decode: the format has more than 16 bits");
    const double sign = (bits & sign_bit(t)) ? -1.0 : 1.0;
    const std::uint32_t magnitude = bits & (sign_bit(t) - 1u);
    const std::uint32_t fraction = magnitude & ((1u << fraction_bits(t)) - 1);
    const std::uint32_t biased = magnitude >> fraction_bits(t);
    if (has_infinity(t) && (magnitude & exponent_mask(t)) == exponent_mask(t)) {
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    }
    if (!has_infinity(t) && magnitude == sign_bit(t) - 1u) return std::numeric_limits<double>::quiet_NaN();
    const bool normal = biased != 0;
    const int exponent = normal ? static_cast<int>(biased) - bias(t) : t.min_exponent;
    const std::uint32_t significand = fraction | (normal ? 1u << fraction_bits(t) : 0u);
    return sign * std::ldexp(static_cast<double>(significand), exponent - fraction_bits(t));
}

}  // namespace dca
