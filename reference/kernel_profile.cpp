#include "reference/kernel_profile.hpp"

#include "reference/math/chunk_positions.hpp"
#include "reference/math/rotations.hpp"

namespace dca::reference {
namespace {

/// Published 8-bit kernels multiply P (and dS) by a power of two before they round it; 256 leaves P at most 256 of 448.
double scale_of(Dtype p) {
    return traits(p).storage_bits == 8 ? 256 : 1;
}

KernelProfile types_of(const Problem& problem) {
    KernelProfile profile{};
    profile.input = problem.dtype;
    profile.p = profile.ds = problem.resolved_p_dtype();
    profile.p_scale = scale_of(profile.p);
    profile.accumulator = problem.resolved_accumulator();
    profile.statistics = profile.accumulator == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    profile.output = problem.resolved_output_dtype();
    profile.angles = profile.statistics;
    profile.delta_from_rounded_out = true;
    return profile;
}

}  // namespace

KernelProfile family_profile(const Problem& problem) {
    KernelProfile profile = types_of(problem);
    // Whether kernels of this dtype also multiply by cos and sin in it. In tf32 and the 8-bit types only the finished
    // q~ and k~ are rounded.
    const bool in_dtype = activation_dtype(problem.dtype) == problem.dtype;
    profile.rotation = in_dtype ? RotatedRounding::every_step : RotatedRounding::once;
    profile.modes_apart = true;
    profile.sums = {.drift = 1.0 / 2, .bridge = 1.0 / 2};
    profile.margins = true;
    // Where the dialect's own code works in float32 under f64 activations (H33), so does an honest kernel.
    const AngleArithmetic angles = dialect_of(problem).angles;
    if (problem.dtype == Dtype::f64 &&
        (angles == AngleArithmetic::float32 || angles == AngleArithmetic::float32_chain)) {
        profile.accumulator = profile.statistics = profile.angles = Dtype::f32;
    }
    return profile;
}

KernelProfile flash_profile(const Problem& problem) {
    KernelProfile profile = types_of(problem);
    profile.angles = Dtype::f64;
    profile.rotation = RotatedRounding::once;
    profile.sums = {.drift = 1.0 / 3, .bridge = 1.0 / 6};
    profile.expectation = true;
    profile.key_tile = 64;
    return profile;
}

}  // namespace dca::reference
