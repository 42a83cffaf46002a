// From the counts of a finished pass to the verdict of the tensor and the clause that explains it.
#pragma once

#include <cstdint>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::verify {

/// What the pass saw besides the report's own numbers.
struct Findings {
    bool has_sigma = true;
    std::int64_t plus_inf_for_empty = 0;  ///< lse +inf in a row without keys (H31)
    std::int64_t broken_expected = 0;     ///< golden values no case may have: NaN, +inf, an infinite out
    std::int64_t unusable_sigma = 0;      ///< sigma NaN, infinite or negative
    std::vector<Region> vacuous_in;       ///< regions where an output of zeros would pass
    bool zero_answer = false;             ///< somewhere zero is the right answer
};

/// Sets verdict, reason and remark from the regions, the lines and the findings.
void conclude(TensorReport& report, const Findings& findings);

/// Joins the verdicts of the tensors; a case without any is skipped.
void conclude(CaseReport& report);

}  // namespace dca::verify
