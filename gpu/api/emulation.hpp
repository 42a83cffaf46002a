// The kernels run on the emulated machine (docs/kernels.md): always there, slow, and strict.
#pragma once

#include <cstdint>

#include "gpu/api/support.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::gpu {

struct EmulationOptions {
    std::uint64_t seed = 1;    ///< of the order in which the threads of a block run
    int host_threads = 0;      ///< blocks side by side; 0: one per processor
    bool three_calls = false;  ///< one launch per mode, then the merge kernel, instead of the fused kernel
};

/// What the machine counted over all launches of one call.
struct EmulationStats {
    std::int64_t blocks = 0, collectives = 0, mma_flops = 0, shared_accesses = 0, bank_conflicts = 0;
};

/// Whether there is a kernel for this problem.
[[nodiscard]] Support emulation_supports(const Problem& problem);

/// out and lse as the kernels compute them in problem.dtype. The same seed gives the same bits, whatever the number of
/// host threads. Throws Unsupported where emulation_supports() says no, emulated::MachineFault where a kernel breaks a
/// rule of the machine.
[[nodiscard]] Outputs emulated_forward(const Problem& problem, const Inputs& inputs,
                                       const EmulationOptions& options = {}, EmulationStats* stats = nullptr);

}  // namespace dca::gpu
