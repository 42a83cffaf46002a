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

bool claims_upper(Relation relation) {
    return relation != Relation::at_least;
}
bool claims_lower(Relation relation) {
    return relation != Relation::at_most;
}

ClaimOutcome outcome_of(bool inside, bool outside) {
    return inside ? ClaimOutcome::pass : outside ? ClaimOutcome::fail : ClaimOutcome::inconclusive;
}

/// 1, the law and the law times one power more of the axis: what a claim of the law allows, and the least that it does
/// not.
std::vector<Growth> law_and_next(const Growth& law, Axis axis) {
    Growth next = law;
    (axis == Axis::n ? next.n_power : next.c_power) += 1;
    std::vector<Growth> terms = {Growth{}, law, next};
    if (law == Growth{}) terms.erase(terms.begin());
    return terms;
}

/// That growth is at most a power can show where the exponent does not: beside a large constant no exponent is known,
/// but a term of the next power may be known to be small. A share s of it raises the exponent at the last size by s.
ClaimOutcome judge_upper(const Series& part, const Growth& law, Axis axis, OnAxis& at) {
    const double upper = at.power + at.slack;
    const ClaimOutcome by_exponent = outcome_of(at.exponent.high <= upper, at.exponent.low > upper);
    const std::vector<Growth> terms = law_and_next(law, axis);
    if (by_exponent != ClaimOutcome::inconclusive || medians(part).y.size() <= terms.size()) return by_exponent;
    const Term next = fit_model(part, terms).terms.back();
    if (!(next.share.high <= at.slack)) return by_exponent;
    at.reason += "; a term " + next.name + " makes up " + text(next.share) + " of the last value, no more";
    return ClaimOutcome::pass;
}

/// That growth is at least a power can show before the exponent does: where the law is a sum, its largest power wins in
/// the end, however flat the measured sizes still are.
ClaimOutcome judge_lower(const Series& part, const PowerFit& power, const Growth& claimed, OnAxis& at) {
    const double lower = at.power - at.slack;
    const ClaimOutcome by_exponent = outcome_of(at.exponent.low >= lower, at.exponent.high < lower);
    if (by_exponent == ClaimOutcome::pass || claimed.n_power < 1 || claimed.c_power != 0) return by_exponent;
    const Growth law{claimed.n_power, 0, claimed.log_power}, less{claimed.n_power - 1, 0, claimed.log_power};
    std::vector<Growth> terms = {Growth{}, less, law};
    if (less == Growth{}) terms.erase(terms.begin());
    if (medians(part).y.size() <= terms.size()) return by_exponent;
    const ModelFit sum = fit_model(part, terms);
    const Estimate& share = sum.terms.back().share;
    // Differences of the criterion: 2 is positive, 6 strong evidence (Kass and Raftery 1995).
    if (!(share.low > 0) || sum.score > power.score + 6) return by_exponent;
    at.reason += "; a term " + sum.terms.back().name + " makes up " + text(share) + " of the last value";
    return share.low > 0.5 && sum.score + 2 < power.score ? ClaimOutcome::pass : ClaimOutcome::inconclusive;
}

OnAxis judge_axis(const Series& part, Axis axis, const Growth& claimed, Relation relation) {
    OnAxis at;
    at.power = axis == Axis::n ? claimed.n_power : claimed.c_power;
    const int log_power = axis == Axis::n ? claimed.log_power : 0;
    const Medians base = medians(part);
    const std::string along = axis == Axis::n ? "n at one chunk_size" : "chunk_size at one n";
    if (base.y.size() < least_points) {
        at.reason = std::to_string(base.y.size()) + " sizes of " + along + " were measured";
        at.decided_by = "a ladder of " + std::to_string(least_points) + " sizes or more of " + along;
        return at;
    }
    at.slack = tolerance(size_of(*base.samples.back(), axis));
    const PowerFit fit = fit_power(part, axis, log_power);
    at.exponent = fit.exponent;
    at.reason = "exponent of " + std::string(name(axis)) + (log_power != 0 ? " beside the logarithm" : "") + " " +
                text(at.exponent) + " from " + name(axis) + " = " +
                std::to_string(size_of(*base.samples.front(), axis)) + " to " +
                std::to_string(size_of(*base.samples.back(), axis)) + ", claimed " + text("%g", at.power) +
                " (within " + text("%.3f", at.slack) + ")";
    const double upper = at.power + at.slack, lower = at.power - at.slack;
    at.outcome = ClaimOutcome::pass;
    const Growth on_axis = axis == Axis::n ? Growth{claimed.n_power, 0, log_power} : Growth{0, claimed.c_power, 0};
    if (claims_upper(relation)) at.outcome = judge_upper(part, on_axis, axis, at);
    if (claims_lower(relation)) {
        at.outcome = worse(at.outcome, judge_lower(part, fit, on_axis, at));
    }
    if (at.outcome != ClaimOutcome::inconclusive) return at;
    const Estimate repeats = exponent_by_repeats(part, axis, log_power);
    const bool across_upper = relation != Relation::at_least && at.exponent.high > upper;
    const double line = across_upper ? upper : lower;
    if (at.exponent.high < line) {
        at.decided_by = "larger n or more sizes: a sum of laws cannot be told from a power here";
        return at;
    }
    const bool value_above = at.exponent.value > line;
    at.decided_by = decided_by(at.exponent.value, value_above ? at.exponent.low : at.exponent.high,
                               value_above ? repeats.low : repeats.high, line, repeats_of(part));
    return at;
}

/// A term that starts late: the law of all sizes says little about those after it.
void judge_late_term(const Series& part, const Claim& claim, const StepFinding& step, OnAxis& at) {
    at.reason += "; " + step.what;
    if (claim.relation == Relation::at_least || at.outcome == ClaimOutcome::fail) return;
    const Estimate last = last_exponent(part, Axis::n, claim.growth[0].log_power);
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
    const Growth& claimed = claim.growth[0];
    const ModelFit fit = fit_model(part, law_and_next({claimed.n_power, 0, claimed.log_power}, Axis::n));
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
    if (first || (joined != verdict.outcome && at.slack > 0)) {
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
    OnAxis on_n = judge_axis(part, Axis::n, claimed, claim.relation);
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
        take(judge_axis(chunks, Axis::chunk_size, claimed, claim.relation), Axis::chunk_size, verdict);
    }
    judge_failures(claim, part, verdict);
}

}  // namespace dca::measure
