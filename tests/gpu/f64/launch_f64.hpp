// The f64 kernels, as they ship, on the emulated machine: pre-pass and forward, over the tiles of the plan.
#pragma once

#include "gpu/api/kernel_params.hpp"
#include "gpu/machine/emulated_block.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::test {

struct LaunchF64 {
    gpu::emulated::LaunchOptions options;
    std::uint32_t modes = gpu::mode_all;
};

/// Throws where the kernel leaves an element of out or lse unwritten.
[[nodiscard]] Outputs forward_f64(const Problem& problem, const Inputs& inputs, const LaunchF64& launch = {},
                                  gpu::emulated::LaunchStats* stats = nullptr);

}  // namespace dca::test
