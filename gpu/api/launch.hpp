// The plain C++ face of the GPU kernels: no CUDA types, so that everything above compiles with a host compiler alone.
#pragma once

#include "gpu/api/support.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::gpu {

/// Whether kernels were compiled in and a device answers.
[[nodiscard]] Support available();

/// Whether the kernels can run this problem on the present device.
[[nodiscard]] Support supports(const Problem& problem);

/// out and lse, computed on the device in problem.dtype. Throws Unsupported with the reason where supports() says no.
[[nodiscard]] Outputs forward(const Problem& problem, const Inputs& inputs);

}  // namespace dca::gpu
