// Position probes as golden cases (docs/probe.md).
#pragma once

#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"

namespace dca::verify {

/// Throws InvalidProblem unless tensors is empty or every case is a probe that has those tensors.
void require_probes_for(const std::vector<std::string>& tensors, const std::vector<golden::CaseSpec>& cases);

/// Computes and writes results, certificates and judge data of a probe, of `tensors` alone unless that is empty: rows
/// are written while others are computed. Its inputs are not stored.
void write_probe_case(const golden::CaseSpec& spec, const std::vector<std::string>& tensors,
                      golden::FileWriter& writer);

}  // namespace dca::verify
