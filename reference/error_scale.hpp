// The expected rounding error of an honest candidate, element by element (docs/error_model.md).
#pragma once

#include "reference/spec/bundles.hpp"

namespace dca::reference {

/// Version of the formulas in docs/error_model.md; written into every golden file.
inline constexpr int error_model_version = 1;

/// One standard deviation of the rounding error of an honest kernel that works in problem.dtype, for out and lse, and
/// for dq, dk, dv where inputs.dout is present. `outputs` is what forward returned. Rows without keys, and keys no
/// query sees, have 0. Costs about 4 forward passes, 11 with gradients; memory does not grow with the square of the
/// sequence. Bitwise the same for any thread count. Throws InvalidProblem (validate) or Unsupported (dialect).
[[nodiscard]] ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs);

}  // namespace dca::reference
