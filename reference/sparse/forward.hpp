// Vertical-slash sparse prefill inside Dual Chunk Attention, as vLLM and SGLang run it, in double precision and with
// documented choices where the published code leaves them open (docs/sparse_prefill.md). Forward only.
#pragma once

#include "reference/sparse/config.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::sparse {

/// out and lse over the keys that the sparse selection attends to (V.1 - V.9); a row that attends to none has out 0 and
/// lse -inf. Positions, roundings, temperature and merge are those of the problem's dialect and phase. Bitwise the
/// same for any thread count and on any machine. Throws InvalidProblem (problem, inputs, config) or Unsupported
/// (reference/refusals.hpp; where the published code fails, naming the hazard).
[[nodiscard]] Outputs sparse_forward(const Problem& problem, const Inputs& inputs, const SparseConfig& config);

}  // namespace dca::sparse
