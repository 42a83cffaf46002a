// Chunk-summary cases on the generating side: inputs -> reference -> results and expected rounding errors.
#pragma once

#include "golden/case_spec.hpp"
#include "golden/store.hpp"

namespace dca::verify {

/// As complete(). Precondition: data.chunk_summary is set.
void complete_chunk_summary(golden::CaseData& data);

/// As make_case(). Precondition: spec.chunk_summary is set.
[[nodiscard]] golden::CaseData make_chunk_summary_case(const golden::CaseSpec& spec);

}  // namespace dca::verify
