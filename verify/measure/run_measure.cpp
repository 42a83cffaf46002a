#include "verify/measure/run_measure.hpp"

#include <algorithm>

#include "verify/measure/fits.hpp"
#include "verify/measure/judge_claim.hpp"
#include "verify/measure/subject.hpp"

namespace dca::measure {
namespace {

bool is_time(Quantity quantity) {
    return quantity == Quantity::time || quantity == Quantity::cpu;
}

void add_once(std::vector<Named>& all, const Named& one) {
    const bool there =
        std::any_of(all.begin(), all.end(), [&](const Named& other) { return other.candidate == one.candidate; });
    if (!there) all.push_back(one);
}

/// What a time was taken on was not steady: then nothing about it is decided. Ratios are: both sides took turns.
void doubt_disturbed(const Claim& claim, const Ladder& ladder, ClaimVerdict& verdict) {
    if (!is_time(claim.quantity) || !claim.ratio_to.empty() || verdict.outcome == ClaimOutcome::inconclusive) return;
    for (const Point& point : ladder.points) {
        if (point.disturbed.empty()) continue;
        verdict.reason = std::string(name(verdict.outcome)) +
                         " but for a disturbed run: at n = " + std::to_string(point.n) + " " + point.disturbed;
        verdict.decided_by = "a run on a machine that does nothing else";
        verdict.outcome = ClaimOutcome::inconclusive;
        return;
    }
}

/// Runs the contenders over the plan's sizes; the indices of their ladders in the report.
std::vector<std::size_t> run_plan(const LadderPlan& plan, const std::vector<Named>& named, bool timed,
                                  LadderOptions options, Workshop& workshop, MeasureReport& report) {
    options.contenders.clear();
    for (const Named& one : named) options.contenders.push_back(contender_of(one, plan.setting));
    options.sizes = plan.sizes;
    options.timed = timed;
    options.least_repeats = std::max(options.least_repeats, plan.repeats);
    std::vector<std::size_t> indices;
    for (Ladder& ladder : run_ladders(options, workshop)) {
        indices.push_back(report.ladders.size());
        report.ladders.push_back(std::move(ladder));
        add_fits(report, indices.back(), timed);
    }
    return indices;
}

}  // namespace

ClaimReport judge(const Claim& claim, const std::string& candidate, const std::vector<std::size_t>& indices,
                  const MeasureReport& report) {
    ClaimReport made;
    std::vector<Ladder> ladders;
    const Ladder* own = nullptr;
    for (const std::size_t index : indices) {
        const Ladder& ladder = report.ladders[index];
        if (ladder.candidate != candidate && ladder.candidate != claim.ratio_to) continue;
        made.ladders.push_back(index);
        ladders.push_back(ladder);
        if (ladder.candidate == candidate) own = &ladder;
    }
    made.verdict = judge_claim(claim, candidate, ladders);
    if (own != nullptr) doubt_disturbed(claim, *own, made.verdict);
    return made;
}

std::string claim_id(const FiledClaim& filed, const std::string& candidate) {
    return filed.id + ":" + candidate;
}

Contender contender_of(const Named& named, Setting setting) {
    if (setting.threads == 0) setting.threads = 1;
    if (named.command.empty()) (void)find_subject(named.candidate, setting.pass);
    return {named.candidate, named.command, setting};
}

void run_one(const LadderPlan& plan, const std::vector<Named>& named, const std::vector<Claim>& claims,
             LadderOptions options, Workshop& workshop, MeasureReport& report) {
    std::vector<Named> all = named;
    for (const Claim& claim : claims) {
        if (!claim.ratio_to.empty()) add_once(all, {claim.ratio_to, ""});
    }
    const std::vector<std::size_t> indices = run_plan(plan, all, options.timed, std::move(options), workshop, report);
    for (const Claim& claim : claims) {
        for (const Named& one : named) {
            ClaimReport made = judge(claim, one.candidate, indices, report);
            made.id = "claim-" + std::to_string(report.claims.size() + 1);
            report.claims.push_back(std::move(made));
        }
    }
}

void run_claims(const ClaimsFile& file, const std::vector<Named>& instead, LadderOptions options, Workshop& workshop,
                MeasureReport& report) {
    const auto candidates = [&](const FiledClaim& filed) {
        if (!instead.empty()) return instead;
        std::vector<Named> named;
        for (const std::string& one : filed.candidates) named.push_back({one, ""});
        return named;
    };
    for (const LadderPlan& plan : file.ladders) {
        std::vector<Named> named;
        bool timed = false;
        for (const FiledClaim& filed : file.claims) {
            if (filed.ladder != plan.name) continue;
            timed = timed || is_time(filed.claim.quantity);
            for (const Named& one : candidates(filed)) add_once(named, one);
            if (!filed.claim.ratio_to.empty()) add_once(named, {filed.claim.ratio_to, ""});
        }
        if (named.empty()) continue;
        const std::vector<std::size_t> indices = run_plan(plan, named, timed, options, workshop, report);
        for (const FiledClaim& filed : file.claims) {
            if (filed.ladder != plan.name) continue;
            for (const Named& one : candidates(filed)) {
                ClaimReport made = judge(filed.claim, one.candidate, indices, report);
                made.id = claim_id(filed, one.candidate);
                made.source = filed.who + ", " + filed.source;
                made.about = filed.says;
                // What is known is known of the file's own candidates.
                if (filed.expect && instead.empty()) made.expected = std::string(name(*filed.expect));
                report.claims.push_back(std::move(made));
            }
        }
    }
}

}  // namespace dca::measure
