// The expected rounding error of an honest candidate, element by element (docs/error_model.md).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "reference/kernel_profile.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::reference {

/// Version of the formulas in docs/error_model.md; written into every golden file.
inline constexpr int error_model_version = 1;

/// One standard deviation of the rounding error of an honest kernel that works in problem.dtype, for out and lse, and
/// for dq, dk, dv where inputs.dout is present. `outputs` is what forward returned. Rows without keys, and keys no
/// query sees, have 0. Costs about 4 forward passes, 11 with gradients; memory does not grow with the square of the
/// sequence. Bitwise the same for any thread count. Throws InvalidProblem (validate) or Unsupported (dialect).
[[nodiscard]] ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs);

/// The same of the kernel a profile describes. A family's is bitwise what the call above gives.
[[nodiscard]] ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                       const KernelProfile& profile);

/// Consecutive rows of one sequence, all in one chunk and none before every key, of one query head.
struct HeadRows {
    const Sequence& sequence;
    std::int64_t row_begin, row_end;
    std::int64_t head;
};
/// Sets to 1 the flag of every key that a row attends to: rows x keys of the sequence, all 0 before. Called from
/// several threads.
using AttendedKeys = std::function<void(const HeadRows& rows, std::span<std::uint8_t> flags)>;

/// The same formulas over the attended pairs alone: the scales of a sparse prefill whose kernel attends to the same
/// keys. Rows that attend to nothing have 0. Forward only: inputs.dout must be absent. `outputs`: over these pairs.
[[nodiscard]] ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                       const AttendedKeys& attended);

}  // namespace dca::reference
