#include "gpu/api/emulation.hpp"

#include "gpu/emulation/run_plan.hpp"

namespace dca::gpu {

Support emulation_supports(const Problem& problem) {
    return host::supports(problem);
}

Outputs emulated_forward(const Problem& problem, const Inputs& inputs, const EmulationOptions& options,
                         EmulationStats* stats) {
    return emulation::run_plan(problem, inputs, host::make_plan(problem), options, stats);
}

}  // namespace dca::gpu
