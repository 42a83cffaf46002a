// Everything one run of `dca measure` found: what its reports are functions of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verify/measure/series.hpp"

namespace dca::measure {

/// What was fitted to one quantity of one candidate over n at one chunk_size, or over chunk_size at one n.
struct FitReport {
    std::size_t ladder = 0;  ///< index of MeasureReport::ladders
    Quantity quantity = Quantity::time;
    bool over_chunk = false;        ///< the variable is chunk_size, not n
    std::int64_t fixed = 0;         ///< the other one; 0: it varies with it
    std::optional<PowerFit> power;  ///< nothing where `why_not` says why
    std::optional<ModelFit> model;  ///< the best of the two-term models, where one was fitted
    std::vector<StepFinding> steps;
    std::string why_not;
};

/// A claim and what became of it.
struct ClaimReport {
    std::string id;                    ///< unique in the report
    std::string source;                ///< who says so; empty for a claim of the command line
    std::string about;                 ///< its wording there
    std::string expected;              ///< the verdict that the claims file knows of; empty: none
    std::vector<std::size_t> ladders;  ///< that it was judged by, indices of MeasureReport::ladders
    ClaimVerdict verdict;
};

struct MeasureReport {
    std::string machine;  ///< processor, number of them, threads each candidate was given
    std::string command;  ///< that shows it again
    std::vector<Ladder> ladders;
    std::vector<FitReport> fits;
    std::vector<ClaimReport> claims;
    std::vector<std::string> notes;
};

/// Whether it came out as the claims file knows it; true where that knows nothing.
[[nodiscard]] bool as_expected(const ClaimReport& claim);
/// What it means for the run: a verdict that was expected, a FAIL too, is what was asked for; one that was not is a
/// failure, and an open one stays open.
[[nodiscard]] ClaimOutcome weight(const ClaimReport& claim);

/// Broken: a ladder of which nothing could be measured, or that ends because the candidate broke.
enum class RunOutcome : std::uint8_t { passed, failed, broken, inconclusive };

/// broken before failed before inconclusive. Without claims a run that measured all it was asked for has passed. Points
/// that were left out for their length are not broken.
[[nodiscard]] RunOutcome outcome(const MeasureReport& report);
/// 0, 1, 2, 3
[[nodiscard]] int exit_status(RunOutcome outcome);

/// How Point::failure begins where a size was not tried at all.
inline constexpr std::string_view left_out = "left out: ";

}  // namespace dca::measure
