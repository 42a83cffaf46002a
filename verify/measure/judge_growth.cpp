#include <algorithm>
#include <cmath>
#include <string>

#include "verify/measure/elementary.hpp"
#include "verify/measure/judge_parts.hpp"
#include "verify/measure/model_fit.hpp"
#include "verify/measure/steps.hpp"

namespace dca::measure {

namespace {

/// The longest contexts that are served with Dual Chunk Attention (Qwen2.5-1M): a term that no such context can show
/// does not refute a claim.
constexpr double longest_context = 1048576;

struct OnAxis {
    ClaimOutcome outcome = ClaimOutcome::inconclusive;
    Estimate exponent;
    double power = 0, slack = 0;
    std::string reason, decided_by;
};

const char* name(Axis axis) {
    return axis == Axis::n ? "n" : "c";
}

std::int64_t size_of(const Sample& sample, Axis axis) {
    return axis == Axis::n ? sample.n : sample.chunk_size;
}

std::size_t repeats_of(const Series& series) {
    std::size_t least = 0;
    for (const Sample& sample : series.samples) {
        if (!sample.values.empty() && (least == 0 || sample.values.size() < least)) least = sample.values.size();
    }
    return least;
}

/// Where the interval lies between the two lines of the claim.
void place(Relation relation, OnAxis& at) {
    const double upper = at.power + at.slack, lower = at.power - at.slack;
    const bool above = at.exponent.low > upper, below = at.exponent.high < lower;
    const bool under = at.exponent.high <= upper, over = at.exponent.low >= lower;
    switch (relation) {
        case Relation::at_most:
            at.outcome = above ? ClaimOutcome::fail : under ? ClaimOutcome::pass : ClaimOutcome::inconclusive;
            return;
        case Relation::at_least:
            at.outcome = below ? ClaimOutcome::fail : over ? ClaimOutcome::pass : ClaimOutcome::inconclusive;
            return;
        case Relation::equal:
            at.outcome = above || below  ? ClaimOutcome::fail
                         : under && over ? ClaimOutcome::pass
                                         : ClaimOutcome::inconclusive;
            return;
    }
}

OnAxis judge_axis(const Series& part, Axis axis, double power, int log_power, Relation relation) {
    OnAxis at;
    at.power = power;
    const Medians base = medians(part);
    const std::string along = axis == Axis::n ? "n at one chunk_size" : "chunk_size at one n";
    if (base.y.size() < least_points) {
        at.reason = std::to_string(base.y.size()) + " sizes of " + along + " were measured";
        at.decided_by = "a ladder of " + std::to_string(least_points) + " sizes or more of " + along;
        return at;
    }
    at.slack = tolerance(size_of(*base.samples.back(), axis));
    at.exponent = fit_power(part, axis, log_power).exponent;
    place(relation, at);
    at.reason = "exponent of " + std::string(name(axis)) + (log_power != 0 ? " beside the logarithm" : "") + " " +
                text(at.exponent) + " from " + name(axis) + " = " +
                std::to_string(size_of(*base.samples.front(), axis)) + " to " +
                std::to_string(size_of(*base.samples.back(), axis)) + ", claimed " + text("%g", power) + " (within " +
                text("%.3f", at.slack) + ")";
    if (at.outcome != ClaimOutcome::inconclusive) return at;
    const Estimate repeats = exponent_by_repeats(part, axis, log_power);
    const double upper = power + at.slack, lower = power - at.slack;
    const bool across_upper = relation != Relation::at_least && at.exponent.high > upper;
    const double line = across_upper ? upper : lower;
    const bool value_above = at.exponent.value > line;
    at.decided_by = decided_by(at.exponent.value, value_above ? at.exponent.low : at.exponent.high,
                               value_above ? repeats.low : repeats.high, line, repeats_of(part));
    return at;
}

/// A term that starts late: the law of all sizes says little about those after it.
void judge_late_term(const Series& part, const Claim& claim, const StepFinding& step, OnAxis& at) {
    if (claim.relation == Relation::at_least || at.outcome == ClaimOutcome::fail) return;
    const Estimate last = last_exponent(part, Axis::n, claim.growth[0].log_power);
    at.reason += "; " + step.what;
    if (last.low > at.power + at.slack) {
        at.outcome = ClaimOutcome::fail;
        at.exponent = last;
        at.decided_by.clear();
        at.reason += ", and the exponent between the last two sizes is " + text(last);
        return;
    }
    at.outcome = ClaimOutcome::inconclusive;
    at.decided_by = "sizes beyond n = " + std::to_string(part.samples.back().n) + ", where the late term has its way";
}

/// A term of the next power that is there for sure, but too small yet to move the exponent.
void judge_hidden_term(const Series& part, const Claim& claim, OnAxis& at) {
    if (at.outcome != ClaimOutcome::pass || claim.relation == Relation::at_least || medians(part).y.size() < 5) return;
    const Growth claimed = claim.growth[0];
    Growth law{claimed.n_power, 0, claimed.log_power}, next = law;
    next.n_power += 1;
    std::vector<Growth> terms = {Growth{}, law, next};
    if (law == Growth{}) terms.erase(terms.begin());
    const ModelFit fit = fit_model(part, terms);
    const Term& term = fit.terms.back();
    const double last = static_cast<double>(medians(part).samples.back()->n);
    // Of the value at `last` the share s, of that at last / s about half.
    if (!(term.share.low > last / longest_context)) return;
    at.outcome = ClaimOutcome::inconclusive;
    at.reason += "; a term " + term.name + " makes up " + text("%.3g", 100 * term.share.value) + " % (" +
                 text("%.3g", 100 * term.share.low) + " .. " + text("%.3g", 100 * term.share.high) +
                 ") at n = " + text("%.0f", last);
    at.decided_by = "n = " + text("%.0f", std::ceil(last * 4 * at.slack / term.share.value)) +
                    ", where that term would show in the exponent";
}

void take(const OnAxis& at, Axis axis, ClaimVerdict& verdict) {
    const bool first = verdict.reason.empty();
    const ClaimOutcome joined = first ? at.outcome : worse(verdict.outcome, at.outcome);
    // The measured value shown is that of the axis that decided.
    if (first || joined != verdict.outcome) {
        if (at.slack > 0) verdict.measured = at.exponent;
        verdict.measured_name = "exponent of " + std::string(name(axis));
        verdict.limit = at.power;
    }
    verdict.outcome = joined;
    verdict.reason += (first ? "" : "; ") + at.reason;
    if (!at.decided_by.empty()) verdict.decided_by += (verdict.decided_by.empty() ? "" : "; ") + at.decided_by;
    if (joined != ClaimOutcome::inconclusive) verdict.decided_by.clear();
}

}  // namespace

void judge_growth(const Claim& claim, const Series& series, ClaimVerdict& verdict) {
    const Growth& claimed = claim.growth[0];
    const Series part = along_n(series);
    OnAxis on_n = judge_axis(part, Axis::n, claimed.n_power, claimed.log_power, claim.relation);
    if (on_n.slack > 0) {
        verdict.steps = find_steps(part);
        for (const StepFinding& step : verdict.steps) {
            if (step.kind == Step::late_term) judge_late_term(part, claim, step, on_n);
        }
        judge_hidden_term(part, claim, on_n);
    }
    take(on_n, Axis::n, verdict);
    if (claimed.c_power > 0) {
        const Series chunks = along_chunks(series);
        take(judge_axis(chunks, Axis::chunk_size, claimed.c_power, 0, claim.relation), Axis::chunk_size, verdict);
    }
    judge_failures(claim, part, verdict);
}

}  // namespace dca::measure
