// Which types inside a kernel explain how large its rounding noise is (docs/diagnosis.md). A remark, never a verdict.
#pragma once

#include <optional>
#include <vector>

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// Some seconds on two cores.
inline constexpr double fingerprint_budget = 2e10;

/// Of every tensor that passed with the noise of honest kernels, as the report has it: nothing but the report is
/// needed. Nothing where some tensor's noise is unusual, or failed: then fingerprints() has to look at the elements.
[[nodiscard]] std::optional<std::vector<Fingerprint>> usual_fingerprints(const Problem& problem,
                                                                         const CaseReport& report);

/// Of every tensor whose error looks like rounding in most of its rows. Within the band of honest kernels nothing is
/// recomputed: linear in the elements. Outside, the error model is asked about narrower or wider types, as far as the
/// work allows. Nothing of a golden without error scales. Of a tensor that failed only where a type explains
/// it, and no other mistake that the report names does. Precondition: `report` is compare_case(golden, candidate).
[[nodiscard]] std::vector<Fingerprint> fingerprints(const golden::CaseData& golden, const golden::Results& candidate,
                                                    const CaseReport& report,
                                                    double multiply_adds = fingerprint_budget);

}  // namespace dca::verify
