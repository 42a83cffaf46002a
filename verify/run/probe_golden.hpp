// Position probes as golden cases (docs/probe.md).
#pragma once

#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"

namespace dca::verify {

/// Throws InvalidProblem unless tensors is empty or every case is a probe that has those tensors.
void require_probes_for(const std::vector<std::string>& tensors, const std::vector<golden::CaseSpec>& cases);

/// Results, certificates and judge data of a probe; of `tensors` alone unless that is empty. Its inputs are not stored.
[[nodiscard]] golden::CaseData make_probe_case(const golden::CaseSpec& spec, const std::vector<std::string>& tensors);

}  // namespace dca::verify
