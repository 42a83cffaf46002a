// What dca gate would do, without doing it: --list and --dry-run.
#pragma once

#include <iosfwd>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::cli {

/// Id, tags and text of every case, separated by tabs.
void list_cases(std::ostream& out, const std::vector<golden::CaseSpec>& cases);

/// A table of predicted sizes, memory and time, and their sums.
void predict_cases(std::ostream& out, const std::vector<golden::CaseSpec>& cases);

}  // namespace dca::cli
