// Chunk-summary attention in double precision, from x to the output and back, for every scope (docs/chunk_summary.md).
// Not Dual Chunk Attention. The same numbers for any number of threads.
#pragma once

#include <vector>

#include "reference/chunk_summary/rounding.hpp"
#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::chunk_summary {

/// The output, row-major with out_extents(problem). Throws InvalidProblem (validate). Extra memory: a few activations,
/// and 64 rows of scores per head at work.
[[nodiscard]] std::vector<double> forward(const Problem& problem, const Inputs& inputs);

/// Gradients of <dout, out> with respect to x and every parameter. Throws as forward. Precondition: inputs.dout is
/// there.
[[nodiscard]] Bundle<double> backward(const Problem& problem, const Inputs& inputs);

/// The same with the given rounding, for the error model; nothing is validated.
[[nodiscard]] std::vector<double> forward(const Problem& problem, const Inputs& inputs, Rounding& rounding);
[[nodiscard]] Bundle<double> backward(const Problem& problem, const Inputs& inputs, Rounding& rounding);

}  // namespace dca::chunk_summary
