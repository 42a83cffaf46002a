#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "verify/measure/judge_parts.hpp"
#include "verify/measure/order_statistics.hpp"
#include "verify/measure/replicas.hpp"

namespace dca::measure {

namespace {

/// The values that a claim on numbers is about, at one size.
struct AtSize {
    std::int64_t n = 0, chunk_size = 0;
    std::vector<double> values;
    double stolen_above = 0, stolen_below = 0;  ///< shares of time taken from numerator and divisor
    bool exact = false;
};

bool wanted(const Claim& claim, std::int64_t n) {
    switch (claim.where) {
        case Where::exactly: return n == claim.n;
        case Where::from: return n >= claim.n;
        case Where::every:
        case Where::largest: return true;
    }
    return true;
}

/// Repeats of both candidates with the same round, divided.
std::vector<double> paired(const Sample& a, const Sample& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        const auto at = std::find(b.rounds.begin(), b.rounds.end(), a.rounds[i]);
        if (at == b.rounds.end()) continue;
        const double divisor = b.values[static_cast<std::size_t>(at - b.rounds.begin())];
        if (divisor > 0) ratios.push_back(a.values[i] / divisor);
    }
    return ratios;
}

/// The sample of the other candidate that goes with one: the same chunk_size where there is one, else the same n alone.
const Sample* partner(const Sample& sample, const Series& other) {
    const Sample* same_n = nullptr;
    for (const Sample& one : other.samples) {
        if (one.n != sample.n || one.values.empty()) continue;
        if (one.chunk_size == sample.chunk_size) return &one;
        if (same_n == nullptr) same_n = &one;
    }
    return same_n;
}

std::vector<AtSize> sizes_of(const Claim& claim, const Series& series, const Series* other) {
    std::vector<AtSize> sizes;
    for (const Sample& sample : series.samples) {
        if (sample.values.empty() || !wanted(claim, sample.n)) continue;
        AtSize at{sample.n, sample.chunk_size, sample.values, sample.disturbance, 0, false};
        at.exact = claim.quantity == Quantity::flops || claim.quantity == Quantity::elements;
        if (other != nullptr) {
            const Sample* divisor = partner(sample, *other);
            if (divisor == nullptr) continue;
            at.values = paired(sample, *divisor);
            at.stolen_below = divisor->disturbance;
        }
        const double scale = claim.unit_value * (claim.per_token ? static_cast<double>(sample.n) : 1.0);
        for (double& value : at.values) value /= scale;
        sizes.push_back(std::move(at));
    }
    if (claim.where == Where::largest && !sizes.empty()) {
        const std::int64_t largest = sizes.back().n;
        std::erase_if(sizes, [&](const AtSize& at) { return at.n != largest; });
    }
    return sizes;
}

std::optional<Estimate> interval(const AtSize& at, double side) {
    if (at.exact && !at.values.empty()) return Estimate{at.values[0], at.values[0], at.values[0]};
    std::optional<Estimate> found = median_interval(at.values, side);
    if (found) {
        // Without what was stolen times would be so much shorter, and a ratio another where the shares differ.
        const double without =
            (1 - std::clamp(at.stolen_above, 0.0, 0.9)) / (1 - std::clamp(at.stolen_below, 0.0, 0.9));
        found->low *= std::min(1.0, without);
        found->high *= std::max(1.0, without);
    }
    return found;
}

/// Of "at every n" and "at n >= ..." a sample that failed is part.
const Sample* failed(const Claim& claim, const Series& series) {
    for (const Sample& sample : series.samples) {
        if (!sample.failure.empty() && wanted(claim, sample.n)) return &sample;
    }
    return nullptr;
}

}  // namespace

void judge_number(const Claim& claim, const Series& series, const Series* other, ClaimVerdict& verdict) {
    const std::vector<AtSize> sizes = sizes_of(claim, series, other);
    const std::string of = claim.ratio_to.empty() ? claim.unit : "times " + claim.ratio_to;
    if (sizes.empty()) {
        verdict.reason =
            "no size that the claim is about was measured" + std::string(other != nullptr ? " of both candidates" : "");
        verdict.decided_by = claim.n > 0 ? "a measurement at n = " + std::to_string(claim.n) : "a measurement";
        return;
    }
    const bool at_most = claim.relation == Relation::at_most;
    const double line = claim.limit / claim.unit_value;
    // To pass, every size must: each may err with `tail`. To fail, one is enough: they share it.
    const double shared = tail / static_cast<double>(sizes.size());
    verdict.outcome = ClaimOutcome::pass;
    const AtSize* shown = nullptr;
    for (const AtSize& at : sizes) {
        const std::optional<Estimate> alone = interval(at, tail), joint = interval(at, shared);
        ClaimOutcome outcome = ClaimOutcome::inconclusive;
        std::string way_out;
        if (!alone) {
            way_out = std::to_string(least_repeats(tail)) + (other != nullptr ? " paired repeats" : " repeats") +
                      " at n = " + std::to_string(at.n) + " instead of " + std::to_string(at.values.size());
        } else {
            const bool inside = at_most ? alone->high <= line : alone->low >= line;
            const bool outside = joint && (at_most ? joint->low > line : joint->high < line);
            outcome = inside ? ClaimOutcome::pass : outside ? ClaimOutcome::fail : ClaimOutcome::inconclusive;
            const double bound = alone->value > line ? alone->low : alone->high;
            way_out = decided_by(alone->value, bound, bound, line, at.values.size());
        }
        // Shown is the size that decides: the first of the worst outcome, of those the farthest from the line.
        const bool worst = worse(verdict.outcome, outcome) != verdict.outcome;
        const bool farther =
            shown != nullptr && alone && verdict.measured && outcome == verdict.outcome &&
            (at_most ? alone->value > verdict.measured->value : alone->value < verdict.measured->value);
        if (shown == nullptr || worst || farther) {
            shown = &at;
            verdict.measured = alone;
            verdict.measured_name = (of.empty() ? "" : of + " ") + "at n = " + std::to_string(at.n);
            verdict.decided_by = outcome == ClaimOutcome::inconclusive ? way_out : "";
        }
        verdict.outcome = worse(verdict.outcome, outcome);
    }
    verdict.reason = (verdict.measured ? text(*verdict.measured) + " " : std::string()) + verdict.measured_name +
                     ", claimed " + (at_most ? "at most " : "at least ") + text("%g", line);
    if (sizes.size() > 1) verdict.reason += ", " + std::to_string(sizes.size()) + " sizes";
    if (claim.where != Where::largest && verdict.outcome == ClaimOutcome::pass) {
        if (const Sample* sample = failed(claim, series)) {
            verdict.outcome = ClaimOutcome::inconclusive;
            verdict.reason += "; n = " + std::to_string(sample->n) + " was not measured: " + sample->failure;
            verdict.decided_by = "a measurement of n = " + std::to_string(sample->n);
        }
    }
}

}  // namespace dca::measure
