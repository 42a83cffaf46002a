#include "verify/diagnose/diagnose.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "verify/compare/compare.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

std::vector<Mistake> catalogue() {
    std::vector<Mistake> all;
    for (std::span<const Mistake> part :
         {output_mistakes(), merge_mistakes(), precision_mistakes(), problem_mistakes()}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

const TensorReport* find(const CaseReport& report, const std::string& tensor) {
    for (const TensorReport& one : report.tensors) {
        if (one.tensor == tensor) return &one;
    }
    return nullptr;
}

bool passes(const TensorReport* report) {
    return report && (report->verdict == Verdict::passed || report->verdict == Verdict::marginal);
}

bool fails(const TensorReport* report) {
    return report && report->verdict == Verdict::failed;
}

/// The tensors that failed, and nothing else.
golden::Results failing_only(golden::Results results, const CaseReport& report) {
    if (!fails(find(report, "out"))) results.out.reset();
    if (!fails(find(report, "lse"))) results.lse.reset();
    if (!fails(find(report, "dq"))) results.dq.reset();
    if (!fails(find(report, "dk"))) results.dk.reset();
    if (!fails(find(report, "dv"))) results.dv.reset();
    return results;
}

/// Multiply-adds of one forward pass: two products per visible pair, query head and channel.
double forward_work(const Problem& problem) {
    const Shape& s = problem.shape;
    const auto pairs = [](double rows, double keys, double offset) {
        // Row r sees min(max(offset + r + 1, 0), keys) keys; the mean over the rows is that of the middle row but for
        // the two ends, close enough to plan by.
        return rows * std::clamp(offset + (rows + 1) / 2, 0.0, keys);
    };
    double visible = 0;
    if (problem.packed()) {
        for (std::size_t i = 1; i < problem.cu_seqlens.size(); ++i) {
            const double length = problem.cu_seqlens[i] - problem.cu_seqlens[i - 1];
            visible += pairs(length, length, 0);
        }
    } else {
        visible = static_cast<double>(s.batch) * pairs(static_cast<double>(s.seq_q), static_cast<double>(s.seq_k),
                                                       static_cast<double>(problem.resolved_query_offset()));
    }
    return visible * static_cast<double>(s.heads_q) * static_cast<double>(s.head_dim + s.head_dim_v);
}

double ratio_of(const TensorReport& report) {
    return report.worst_row ? report.worst_row->ratio : report.worst.ratio;
}

/// What the trial explains, if anything.
std::optional<Explanation> judge(const Mistake& mistake, const Trial& trial, const Evidence& evidence) {
    const CaseReport agreement = compare_case(trial.truth, trial.candidate);
    // A mistake whose own result passes as right makes no difference in this case.
    const CaseReport difference = trial.repaired ? CaseReport{} : compare_case(evidence.golden, trial.truth.results);
    Explanation explanation{std::string(mistake.info.id),
                            trial.title.empty() ? std::string(mistake.info.title) : trial.title,
                            std::string(mistake.info.hazard),
                            std::string(mistake.info.public_example),
                            {},
                            0};
    for (const TensorReport& tensor : agreement.tensors) {
        if (!passes(&tensor)) continue;
        if (!trial.repaired && !fails(find(difference, tensor.tensor))) continue;
        explanation.tensors.push_back(tensor.tensor);
        explanation.ratio = std::max(explanation.ratio, ratio_of(tensor));
    }
    return explanation.tensors.empty() ? std::nullopt : std::optional(std::move(explanation));
}

}  // namespace

std::vector<KnownMistake> known_mistakes() {
    std::vector<KnownMistake> known;
    for (const Mistake& mistake : catalogue()) known.push_back(mistake.info);
    return known;
}

Diagnosis explain(const golden::CaseData& golden, const golden::Results& candidate, const CaseReport& report,
                  double multiply_adds) {
    Diagnosis diagnosis;
    const golden::Results failing = failing_only(candidate, report);
    const bool gradients = failing.dq || failing.dk || failing.dv;
    if (!golden.judge || !(failing.out || failing.lse || gradients)) return diagnosis;

    const Evidence evidence{golden, failing, gradients};
    const double work = forward_work(golden.problem);
    // A repair takes the golden's values for the spoilt ones, so it says less than a result that predicts them.
    std::vector<std::pair<Explanation, bool>> found;
    for (const Mistake& mistake : catalogue()) {
        if (mistake.shows != Shows::anywhere && passes(find(report, "out"))) continue;
        if (mistake.shows == Shows::in_out_and_lse && passes(find(report, "lse"))) continue;
        const double cost = work * (gradients ? mistake.cost.gradients : mistake.cost.forward);
        if (diagnosis.work + cost > multiply_adds) {
            diagnosis.not_tried.emplace_back(mistake.info.id);
            continue;
        }
        const std::optional<Trial> trial = mistake.attempt(evidence);
        // What is ruled out or does not apply took a forward pass at most.
        diagnosis.work += trial ? cost : std::min(cost, work);
        if (!trial) continue;
        if (auto explanation = judge(mistake, *trial, evidence)) {
            found.emplace_back(std::move(*explanation), trial->repaired);
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::tuple(b.first.tensors.size(), a.second, a.first.ratio) <
               std::tuple(a.first.tensors.size(), b.second, b.first.ratio);
    });
    for (auto& [explanation, repaired] : found) diagnosis.explanations.push_back(std::move(explanation));
    return diagnosis;
}

}  // namespace dca::verify
