// Claims and ladders -> a report: what is measured for which claim, fits, verdicts.
#pragma once

#include <string>
#include <vector>

#include "verify/measure/claims_file.hpp"
#include "verify/measure/result.hpp"
#include "verify/measure/run_ladder.hpp"

namespace dca::measure {

/// A candidate by name or by command.
struct Named {
    std::string candidate, command;
};

/// Ladders of the file are measured for the candidates of their claims, those that a ratio divides by included, in
/// alternation; then every claim is judged. `instead`: not empty: the candidates all claims are held against, whatever
/// the file says. `options` gives everything but contenders, sizes and whether times are wanted. Adds to the report.
/// Throws as run_ladders, and InvalidProblem or Unsupported for a candidate that there is not.
void run_claims(const ClaimsFile& file, const std::vector<Named>& instead, LadderOptions options, Workshop& workshop,
                MeasureReport& report);

/// ClaimReport::id of a filed claim about one of its candidates.
[[nodiscard]] std::string claim_id(const FiledClaim& filed, const std::string& candidate);

/// One ladder of sizes for all `named` and for the claims about them.
void run_one(const LadderPlan& plan, const std::vector<Named>& named, const std::vector<Claim>& claims,
             LadderOptions options, Workshop& workshop, MeasureReport& report);

/// The verdict on one claim about one candidate by those of the ladders in the report that are its own or that of the
/// candidate it is divided by. Where a time was claimed and a size was disturbed, nothing is decided; but for ratios,
/// whose two sides took turns.
[[nodiscard]] ClaimReport judge(const Claim& claim, const std::string& candidate,
                                const std::vector<std::size_t>& ladders, const MeasureReport& report);

/// The contender of a name: checks that there is such a candidate with that pass. Throws InvalidProblem, Unsupported.
[[nodiscard]] Contender contender_of(const Named& named, Setting setting);

}  // namespace dca::measure
