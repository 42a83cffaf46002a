// A claim held against what was measured.
#pragma once

#include <string>
#include <vector>

#include "verify/measure/claim.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// One quantity of a ladder, in its order. Time of a candidate whose repeats were timed on a GPU is that time; memory
/// is that of the GPU where the ladder says so.
[[nodiscard]] Series series_of(const Ladder& ladder, Quantity quantity);

/// The part of a series along which n varies and chunk_size does not: that of the chunk_size with most sizes, the
/// largest of those. Where no chunk_size has least_points sizes, and every n has one chunk_size, the whole series.
[[nodiscard]] Series along_n(const Series& series);

/// The part along which chunk_size varies and n does not, likewise.
[[nodiscard]] Series along_chunks(const Series& series);

/// PASS where the whole interval lies inside the claim, FAIL where it lies outside, INCONCLUSIVE otherwise, with what
/// would decide it; a claim without data is inconclusive. Never throws for what was measured, only for ladders that
/// break the rules of series.hpp.
[[nodiscard]] ClaimVerdict judge_claim(const Claim& claim, const std::string& candidate,
                                       const std::vector<Ladder>& ladders);

/// The worse of two: FAIL before INCONCLUSIVE before PASS.
[[nodiscard]] ClaimOutcome worse(ClaimOutcome a, ClaimOutcome b);

}  // namespace dca::measure
