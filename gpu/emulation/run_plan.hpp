// The kernels on the emulated machine, for a plan that is already made. Tests give it wrong plans.
#pragma once

#include "gpu/api/emulation.hpp"
#include "gpu/host/plan.hpp"

namespace dca::gpu::emulation {

/// As emulated_forward() with make_plan(problem).
[[nodiscard]] Outputs run_plan(const Problem& problem, const Inputs& inputs, const host::Plan& plan,
                               const EmulationOptions& options, EmulationStats* stats);

}  // namespace dca::gpu::emulation
