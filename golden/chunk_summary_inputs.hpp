// Chunk-summary case -> x, parameters and dout: the same bits on every machine.
#pragma once

#include "golden/chunk_summary_case.hpp"

namespace dca::golden {

/// Unit normal elements of make_inputs.hpp, stream 16 + the tensor's number (dout: 15); weights divided by the square
/// root of their input channels, norm scales 1 + unit / 4; q and k columns of the projection times qk_scale; rounded to
/// the dtype. Throws InvalidProblem (validate, a recipe that is not finite, a value beyond the dtype).
[[nodiscard]] chunk_summary::Inputs make_chunk_summary_inputs(const ChunkSummarySpec& spec);

}  // namespace dca::golden
