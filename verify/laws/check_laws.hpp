// A case whose outputs somebody computed -> which conservation laws they keep. Needs no expected values.
#pragma once

#include "golden/store.hpp"
#include "verify/laws/result.hpp"

namespace dca::verify {

/// Checks every law that holds for the dialect and whose tensors are there; says of the others why not. The tensors
/// have the shapes of the problem. Evaluation is O(n d) in time and O(n) in memory beyond the case.
[[nodiscard]] LawsCase check_laws(const golden::CaseData& data);

}  // namespace dca::verify
