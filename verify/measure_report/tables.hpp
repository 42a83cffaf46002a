// What the reports of a measurement share: the same cells, whatever the format.
#pragma once

#include <string>
#include <vector>

#include "verify/measure/result.hpp"

namespace dca::measure {

/// Rows of cells, the first row is the header.
using Cells = std::vector<std::vector<std::string>>;

/// "1.25 ms", "3 s"
[[nodiscard]] std::string seconds_text(double seconds);
/// "12.5 MiB"
[[nodiscard]] std::string bytes_text(double bytes);
/// "4K", "1000"
[[nodiscard]] std::string size_text(std::int64_t size);
/// "1.98 (1.95 .. 2.01)"
[[nodiscard]] std::string estimate_text(const Estimate& estimate);

/// "reference forward, f64, 1 head of 64 channels, 1 thread"
[[nodiscard]] std::string heading(const Ladder& ladder);
/// One row per point: n, C, repeats, wall and its spread, CPU, memory, bytes per token, rate, remark.
[[nodiscard]] Cells point_table(const Ladder& ladder);
/// One row per fit: candidate, quantity, exponent, model, steps. Only the header where there is none.
[[nodiscard]] Cells fit_table(const MeasureReport& report);
/// One row per claim: verdict, candidate, claim, measured, who says so.
[[nodiscard]] Cells claim_table(const MeasureReport& report);

/// "MEASURED", "PASSED", "AS EXPECTED" (claims failed, as the file knew), "FAILED", "ERROR", "INCONCLUSIVE"
[[nodiscard]] std::string headline_word(const MeasureReport& report);
/// "3 claims: 2 pass, 1 fail"
[[nodiscard]] std::string headline_text(const MeasureReport& report);

/// What a reader should know of how it was measured: where bytes come from, points that are not to be believed.
[[nodiscard]] std::vector<std::string> remarks(const MeasureReport& report);

/// "expected FAIL" of a claim that came out otherwise than the claims file knows; else empty.
[[nodiscard]] std::string expectation_text(const ClaimReport& claim);

/// "what was measured is below the claim: ...; more repeats would decide it"
[[nodiscard]] std::string reason_text(const ClaimVerdict& verdict);

}  // namespace dca::measure
