#include "reference/noise/precision.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "reference/math/chunk_positions.hpp"
#include "reference/math/rotations.hpp"

namespace dca::reference::noise {
namespace {

/// Published 8-bit kernels multiply P (and dS) by a power of two before they round it; 256 leaves P at most 256 of 448.
constexpr double operand_scale_8bit = 256;

/// Subnormal results are rounded to multiples of the spacing; float32 arithmetic of accelerators flushes what is below
/// the smallest normal number to 0.
double floor_of(Dtype dtype) {
    const double rounded = subnormal_spacing(dtype) / (2 * std::sqrt(3.0));
    const double flushed = std::ldexp(1.0, traits(Dtype::f32).min_exponent) / std::sqrt(3.0);
    return dtype == Dtype::f64 ? rounded : std::max(rounded, flushed);
}

/// Whether kernels of this dtype also multiply by cos and sin in it: table entry, product and sum are rounded each. In
/// tf32 and the 8-bit types only the finished q~ and k~ are rounded.
bool rotates_in_dtype(Dtype dtype) {
    return activation_dtype(dtype) == dtype;
}

}  // namespace

Precision precision_of(const Problem& problem) {
    const Dtype dtype = problem.dtype;
    const Dtype output = activation_dtype(dtype);
    const Dtype wide = dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    // In f64 the golden file is rounded like the candidate: two errors of the same size add.
    const double both = dtype == Dtype::f64 ? std::numbers::sqrt2 : 1;
    const double u = both * unit_roundoff(dtype), wide_u = both * unit_roundoff(wide);
    const double scale = traits(dtype).storage_bits == 8 ? operand_scale_8bit : 1;
    Precision precision{.operand = u,
                        .operand_floor = std::max(floor_of(dtype) / scale, floor_of(wide)),
                        .rotated = (rotates_in_dtype(dtype) ? 3 : 1) * u * u / 3,
                        .table = dtype == Dtype::tf32 ? 0 : u * u / 3,
                        .output = both * unit_roundoff(output),
                        .output_floor = floor_of(output),
                        .accumulator = wide_u,
                        .accumulator_floor = floor_of(wide),
                        .angle = wide_u};
    const AngleArithmetic angles = dialect_of(problem).angles;
    if (dtype == Dtype::f64 && (angles == AngleArithmetic::float32 || angles == AngleArithmetic::float32_chain)) {
        const double u32 = unit_roundoff(Dtype::f32);
        precision.rotated += u32 * u32 / 3;  // the table entries
        precision.accumulator = precision.angle = u32;
        precision.accumulator_floor = floor_of(Dtype::f32);
    }
    return precision;
}

}  // namespace dca::reference::noise
