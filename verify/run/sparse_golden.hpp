// Results and judge data of a sparse prefill (docs/sparse_prefill.md).
#pragma once

#include "golden/store.hpp"

namespace dca::verify {

/// As complete() of make_golden.hpp. Precondition: data.problem.sparse_prefill(). Throws Unsupported where dout is
/// present, where the dialect has no sparse prefill, and where the published code fails.
void complete_sparse(golden::CaseData& data);

}  // namespace dca::verify
