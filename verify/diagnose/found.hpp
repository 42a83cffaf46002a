// An explanation and what it is ranked by.
#pragma once

#include <string_view>
#include <vector>

#include "verify/diagnose/agreement.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

struct Found {
    Explanation explanation;
    bool repaired = false;  ///< the golden's values were put where the candidate's are spoilt: says less
    bool dialect = false;   ///< a published behaviour, which may consist of several mistakes
    /// How far the candidate is from it: mean square over the rows, in the golden's sigma, of all tensors it explains.
    double energy = 0;
    std::vector<double> result;  ///< its own result in those rows, in the golden's sigma: to see which are the same
};

/// Adds one explained tensor to what it is ranked by.
void add_evidence(Found& found, std::string_view tensor, std::span<const RowRef> rows, const golden::Results& golden,
                  const ErrorScales& scales, const golden::Results& candidate, const golden::Results& exact);

/// Most tensors first; what predicts values before what replaces spoilt ones; then what is nearest to the candidate. A
/// dialect stands behind a mistake that explains the same unless it is nearer by a factor of two. Those that the
/// candidate's noise cannot tell apart become one, which names the others; so do all dialects with the same tensors.
[[nodiscard]] std::vector<Explanation> ranked(std::vector<Found> found);

}  // namespace dca::verify
