// One case, from two files to its report: tensor by tensor and piece by piece, in constant memory.
#pragma once

#include <string>
#include <vector>

#include "golden/store.hpp"
#include "verify/candidate/candidate_file.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// What compare_case says of the case in memory, for the tensors asked for (none: all). Of a sampled golden the sampled
/// rows are judged, whether the candidate has all rows or these alone, and the report says so. head: golden.read_head
/// of the case. Throws FormatError where golden or candidate cannot be read.
[[nodiscard]] CaseReport compare_in_pieces(const golden::FileReader& golden, const golden::CaseData& head,
                                           const CandidateFile& candidate, const std::vector<std::string>& tensors);

}  // namespace dca::verify
