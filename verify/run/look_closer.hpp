// What comparing alone does not say of a case: where a failure lies, what it looks like, whose noise it is.
#pragma once

#include "verify/diagnose/diagnose.hpp"

namespace dca::verify {

/// Fills localisations and explanations of a failed case and fingerprints of every case. `work` bounds the
/// explanations. Precondition: golden and candidate are whole, `report` is that of comparing them. Known mistakes are
/// those of dense attention: of a sparse prefill there are fingerprints alone.
[[nodiscard]] Diagnosis look_closer(const golden::CaseData& golden, const golden::Results& candidate,
                                    CaseReport& report, double work);

}  // namespace dca::verify
