// Is the candidate right by another published behaviour (docs/dialects.md)?
#pragma once

#include <string>
#include <vector>

#include "verify/diagnose/counterfactuals.hpp"

namespace dca::verify {

/// Explanations "dialect-vllm" and so on: every other dialect that can run the case, computed whole and judged like a
/// golden of its own. Precondition: `report` is compare_case(golden, candidate), and fails; the golden has inputs.
[[nodiscard]] Tried try_dialects(const golden::CaseData& golden, const golden::Results& candidate,
                                 const CaseReport& report, double multiply_adds);

}  // namespace dca::verify
