#include "reference/noise/precision.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dca::reference::noise {
namespace {

/// Subnormal results are rounded to multiples of the spacing; float32 arithmetic of accelerators flushes what is below
/// the smallest normal number to 0.
double floor_of(Dtype dtype) {
    const double rounded = subnormal_spacing(dtype) / (2 * std::sqrt(3.0));
    const double flushed = std::ldexp(1.0, traits(Dtype::f32).min_exponent) / std::sqrt(3.0);
    return dtype == Dtype::f64 ? rounded : std::max(rounded, flushed);
}

}  // namespace

Precision precision_of(const Problem& problem, const KernelProfile& profile) {
    // In f64 the golden file is rounded like the candidate: two errors of the same size add. An expectation is that of
    // the kernel alone.
    const double both = problem.dtype == Dtype::f64 && !profile.expectation ? std::numbers::sqrt2 : 1;
    const auto u_of = [&](Dtype dtype) { return (dtype == Dtype::f64 ? both : 1) * unit_roundoff(dtype); };
    const double u = u_of(profile.input);
    const Dtype wide = profile.input == Dtype::f64 ? Dtype::f64 : profile.statistics;
    const double roundings[] = {0, 1, 3};  // of RotatedRounding
    Precision precision{.operand = u_of(profile.p),
                        .operand_floor = std::max(floor_of(profile.p) / profile.p_scale, floor_of(wide)),
                        .smallest_operand = std::ldexp(1.0, traits(profile.p).min_exponent) / profile.p_scale,
                        .rotated = roundings[static_cast<std::size_t>(profile.rotation)] * u * u / 3,
                        .table = profile.input == Dtype::tf32 || profile.expectation ? 0 : u * u / 3,
                        .output = u_of(profile.output),
                        .output_floor = floor_of(profile.output),
                        .accumulator = u_of(profile.accumulator),
                        .sum_floor = traits(profile.accumulator).storage_bits == 16 ? floor_of(profile.accumulator) : 0,
                        .statistics = u_of(profile.statistics),
                        .accumulator_floor = floor_of(profile.statistics),
                        .angle = profile.expectation && profile.angles == Dtype::f64 ? 0 : u_of(profile.angles)};
    if (problem.dtype == Dtype::f64 && profile.angles == Dtype::f32) {
        const double u32 = unit_roundoff(Dtype::f32);
        precision.rotated += u32 * u32 / 3;  // the table entries
    }
    // P and dS are rounded only where that makes them coarser than the arithmetic they come from.
    if (profile.expectation && traits(profile.p).precision >= traits(profile.statistics).precision) {
        precision.operand = 0;
    }
    return precision;
}

Precision precision_of(const Problem& problem) {
    return precision_of(problem, family_profile(problem));
}

double known_rounding(double value, Dtype format) {
    if (value == 0) return 0;
    const int exponent = std::max(std::ilogb(value), traits(format).min_exponent);
    const double spacing = std::ldexp(1.0, exponent - traits(format).precision + 1);
    return spacing * spacing / 12 / typical_mantissa;
}

double written_variance(double value, double variance, Dtype format) {
    const double spread = known_rounding(value, format);
    variance = std::max(variance, 0.0);  // differences of sums that are equal for one key
    if (spread == 0 || format == Dtype::f64) return variance + spread;  // the expected value is itself rounded to f64
    const double spacing = std::sqrt(12 * typical_mantissa * spread);
    const double deviation = std::sqrt(typical_mantissa * variance) / spacing;
    if (deviation > 1) return variance + spread;  // the grid is forgotten: within 1e-7
    const double at = value / spacing, offset = at - std::nearbyint(at);
    if (deviation == 0) return offset * offset * spacing * spacing / typical_mantissa;
    const auto below = [&](double edge) { return std::erfc(-(edge - offset) / (std::numbers::sqrt2 * deviation)) / 2; };
    double sum = 0;
    for (int k = -7; k <= 7; ++k) sum += (k - offset) * (k - offset) * (below(k + 0.5) - below(k - 0.5));
    return sum * spacing * spacing / typical_mantissa;
}

}  // namespace dca::reference::noise
