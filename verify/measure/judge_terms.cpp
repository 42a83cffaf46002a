#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "verify/measure/judge_parts.hpp"
#include "verify/measure/model_fit.hpp"
#include "verify/measure/steps.hpp"

namespace dca::measure {

namespace {

/// What attention code could hold or do besides: terms that a claim bounds or does not.
constexpr std::array<Growth, 6> others = {{{1, 0, 0}, {0, 2, 0}, {1, 1, 0}, {2, 0, 0}, {1, 2, 0}, {3, 0, 0}}};

/// Whether a weighted geometric mean of two claimed terms is at least this one for all n, c >= 1; then their sum is,
/// too.
bool bounded(const Growth& term, const std::vector<Growth>& claimed) {
    for (const Growth& a : claimed) {
        for (const Growth& b : claimed) {
            for (int i = 0; i <= 24; ++i) {
                const double w = i / 24.0;
                if (w * a.n_power + (1 - w) * b.n_power >= term.n_power - 1e-9 &&
                    w * a.c_power + (1 - w) * b.c_power >= term.c_power - 1e-9) {
                    return true;
                }
            }
        }
    }
    return false;
}

bool smaller(const Growth& a, const Growth& b) {
    return !(a == b) && a.n_power <= b.n_power && a.c_power <= b.c_power;
}

/// The smallest terms that the claim does not bound.
std::vector<Growth> beyond(const std::vector<Growth>& claimed) {
    std::vector<Growth> open;
    for (const Growth& term : others) {
        if (!bounded(term, claimed)) open.push_back(term);
    }
    std::vector<Growth> least;
    for (const Growth& term : open) {
        const bool has_smaller =
            std::any_of(open.begin(), open.end(), [&](const Growth& o) { return smaller(o, term); });
        if (!has_smaller) least.push_back(term);
    }
    return least;
}

}  // namespace

void judge_terms(const Claim& claim, const Series& series, ClaimVerdict& verdict) {
    const Medians base = medians(series);
    std::set<std::int64_t> lengths, chunks;
    for (const Sample* sample : base.samples) {
        lengths.insert(sample->n);
        chunks.insert(sample->chunk_size);
    }
    std::vector<Growth> terms = claim.growth;
    for (const Growth& term : {Growth{}, Growth{1, 0, 0}}) {
        const bool there = std::find(terms.begin(), terms.end(), term) != terms.end();
        if (!there && bounded(term, claim.growth)) terms.push_back(term);
    }
    const std::size_t needed = terms.size() + 2;
    if (claim.relation != Relation::at_most) {
        verdict.reason = "a sum of terms can be claimed as an upper bound alone";
        verdict.decided_by = "a claim with <=";
        return;
    }
    if (lengths.size() < 3 || chunks.size() < 3 || base.y.size() < needed || terms.size() > 5) {
        verdict.reason = std::to_string(base.y.size()) + " sizes with " + std::to_string(lengths.size()) + " n and " +
                         std::to_string(chunks.size()) + " chunk_sizes were measured";
        verdict.decided_by = "3 sizes or more of each of n and chunk_size, " + std::to_string(needed) + " in all";
        return;
    }
    const double most = tolerance(base.samples.back()->n);
    verdict.outcome = ClaimOutcome::pass;
    verdict.limit = most;
    for (const Growth& term : beyond(claim.growth)) {
        std::vector<Growth> with = terms;
        with.push_back(term);
        const ModelFit fit = fit_model(series, with);
        const Term& extra = fit.terms.back();
        const ClaimOutcome outcome = extra.share.low > most     ? ClaimOutcome::fail
                                     : extra.share.high <= most ? ClaimOutcome::pass
                                                                : ClaimOutcome::inconclusive;
        const bool worst = worse(verdict.outcome, outcome) != verdict.outcome;
        if (!verdict.measured || worst) {
            verdict.measured = extra.share;
            verdict.measured_name = "share of " + extra.name + " at the last size";
        }
        verdict.outcome = worse(verdict.outcome, outcome);
        verdict.reason += (verdict.reason.empty() ? "" : "; ") + std::string("beside the claimed terms ") + extra.name +
                          " makes up " + text(extra.share) + " of the last value, " + text("%.3f", most) + " may be";
    }
    if (verdict.outcome == ClaimOutcome::inconclusive) {
        verdict.decided_by = "more sizes of n and chunk_size, more repeats, or a quieter machine";
    }
    judge_failures(claim, series, verdict);
}

}  // namespace dca::measure
