// Parts of judge_claim: one kind of claim each.
#pragma once

#include <string>

#include "verify/measure/claim.hpp"
#include "verify/measure/judge_claim.hpp"
#include "verify/measure/power_fit.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// printf for the numbers of sentences.
[[nodiscard]] std::string text(const char* format, double value);
/// "1.02 (0.99 .. 1.05)"
[[nodiscard]] std::string text(const Estimate& estimate);

/// One law n^a log^q n c^b with b >= 0: the exponents of n, and of c where b > 0.
void judge_growth(const Claim& claim, const Series& series, ClaimVerdict& verdict);

/// A sum of laws, or one that falls with chunk_size: is there a term that none of them bounds?
void judge_terms(const Claim& claim, const Series& series, ClaimVerdict& verdict);

/// Sizes that could not be measured keep an upper bound from passing.
void judge_failures(const Claim& claim, const Series& series, ClaimVerdict& verdict);

/// A number, or a ratio of two candidates where `other` is not null.
void judge_number(const Claim& claim, const Series& series, const Series* other, ClaimVerdict& verdict);

/// What would move the bound `at` of an interval to the line: repeats, so many, or another machine or ladder.
/// `by_repeats` is the bound that repeats alone would give.
[[nodiscard]] std::string decided_by(double value, double bound, double by_repeats, double line, std::size_t repeats);

}  // namespace dca::measure
