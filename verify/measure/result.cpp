#include "verify/measure/result.hpp"

namespace dca::measure {
namespace {

bool broke(const Ladder& ladder) {
    bool any = false;
    for (const Point& point : ladder.points) {
        any = any || !point.repeats.empty();
        if (!point.failure.empty() && !point.failure.starts_with(left_out)) return true;
    }
    return !any;
}

}  // namespace

bool as_expected(const ClaimReport& claim) {
    return claim.expected.empty() || claim.expected == name(claim.verdict.outcome);
}

ClaimOutcome weight(const ClaimReport& claim) {
    if (claim.expected.empty()) return claim.verdict.outcome;
    if (as_expected(claim)) return ClaimOutcome::pass;
    return claim.verdict.outcome == ClaimOutcome::inconclusive ? ClaimOutcome::inconclusive : ClaimOutcome::fail;
}

RunOutcome outcome(const MeasureReport& report) {
    bool failed = false, open = false;
    if (report.ladders.empty() && report.claims.empty()) return RunOutcome::inconclusive;
    for (const Ladder& ladder : report.ladders) {
        if (broke(ladder)) return RunOutcome::broken;
    }
    for (const ClaimReport& claim : report.claims) {
        failed = failed || weight(claim) == ClaimOutcome::fail;
        open = open || weight(claim) == ClaimOutcome::inconclusive;
    }
    if (failed) return RunOutcome::failed;
    return open ? RunOutcome::inconclusive : RunOutcome::passed;
}

int exit_status(RunOutcome outcome) {
    switch (outcome) {
        case RunOutcome::passed: return 0;
        case RunOutcome::failed: return 1;
        case RunOutcome::broken: return 2;
        case RunOutcome::inconclusive: return 3;
    }
    return 2;
}

}  // namespace dca::measure
