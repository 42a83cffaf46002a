#include "verify/measure/judge_claim.hpp"

#include <cmath>
#include <cstdio>

#include "golden/text.hpp"
#include "verify/measure/judge_parts.hpp"

namespace dca::measure {

namespace {

const Ladder* find(const std::vector<Ladder>& ladders, const std::string& candidate) {
    for (const Ladder& ladder : ladders) {
        if (ladder.candidate == candidate) return &ladder;
    }
    return nullptr;
}

void nothing_measured(const std::string& candidate, ClaimVerdict& verdict) {
    verdict.reason = "nothing was measured of " + golden::printable(candidate);
    verdict.decided_by = "a measurement of " + golden::printable(candidate);
}

}  // namespace

std::string text(const char* format, double value) {
    char made[64];
    std::snprintf(made, sizeof made, format, value);
    return made;
}

std::string text(const Estimate& estimate) {
    return text("%.3g", estimate.value) + " (" + text("%.3g", estimate.low) + " .. " + text("%.3g", estimate.high) +
           ")";
}

std::string decided_by(double value, double bound, double by_repeats, double line, std::size_t repeats) {
    const double room = std::abs(line - value), half = std::abs(bound - value), part = std::abs(by_repeats - value);
    // Half of the variance or more is that of the repeats, which falls as one over their number.
    if (part * part >= half * half / 2 && room > 0) {
        const double needed = std::ceil(static_cast<double>(repeats) * (half / room) * (half / room));
        if (needed <= 1000) {
            return text("%.0f", needed) + " repeats of each size instead of " + std::to_string(repeats);
        }
        return "a quieter machine: more than 1000 repeats of each size would be needed here";
    }
    return "a quieter machine, more sizes or larger n: the sizes do not lie on one law, and repeats do not change that";
}

void judge_failures(const Claim& claim, const Series& series, ClaimVerdict& verdict) {
    if (verdict.outcome != ClaimOutcome::pass || claim.relation == Relation::at_least) return;
    for (const Sample& sample : series.samples) {
        if (sample.failure.empty()) continue;
        verdict.outcome = ClaimOutcome::inconclusive;
        verdict.reason +=
            "; n = " + std::to_string(sample.n) + " was not measured: " + golden::printable(sample.failure);
        verdict.decided_by = "a measurement of n = " + std::to_string(sample.n);
        return;
    }
}

ClaimVerdict judge_claim(const Claim& claim, const std::string& candidate, const std::vector<Ladder>& ladders) {
    ClaimVerdict verdict;
    verdict.claim = claim.text;
    verdict.candidate = candidate;
    verdict.limit = claim.limit / claim.unit_value;
    const Ladder* ladder = find(ladders, candidate);
    if (ladder == nullptr) {
        nothing_measured(candidate, verdict);
        return verdict;
    }
    const Series series = series_of(*ladder, claim.quantity);
    if (!claim.ratio_to.empty()) {
        const Ladder* other = find(ladders, claim.ratio_to);
        if (other == nullptr) {
            nothing_measured(claim.ratio_to, verdict);
        } else if (!(other->setting == ladder->setting)) {
            verdict.reason = candidate + " and " + claim.ratio_to + " were not measured on the same shape";
            verdict.decided_by = "both on one shape, dtype, pass and number of threads, in alternation";
        } else {
            const Series divisor = series_of(*other, claim.quantity);
            judge_number(claim, series, &divisor, verdict);
        }
        return verdict;
    }
    if (claim.growth.empty()) {
        judge_number(claim, series, nullptr, verdict);
    } else if (claim.growth.size() == 1 && claim.growth[0].c_power >= 0) {
        judge_growth(claim, series, verdict);
    } else {
        judge_terms(claim, series, verdict);
    }
    return verdict;
}

}  // namespace dca::measure
