// The judgement of a chunk-summary case: the rule and the lines of compare.hpp, on its tensors.
#pragma once

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// As compare_case. Tensors are judged as (batch or layer, row, head or third of the projection, channel); the region
/// of a row says whether the summaries of other chunks play a part in it: intra not, +inter they do. Precondition:
/// golden.chunk_summary is set, and the candidate's tensors have the sizes of its problem.
[[nodiscard]] CaseReport compare_chunk_summary(const golden::CaseData& golden,
                                               const golden::ChunkSummaryResults& candidate);

}  // namespace dca::verify
