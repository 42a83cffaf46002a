#include "verify/diagnose/diagnose.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "verify/compare/compare.hpp"
#include "verify/diagnose/counterfactuals.hpp"
#include "verify/diagnose/dialect_counterfactuals.hpp"
#include "verify/diagnose/mistake.hpp"
#include "verify/mutants/mutant.hpp"

namespace dca::verify {
namespace {

/// What the mutants' catalogue has not: a repair, whose result depends on the candidate.
constexpr KnownMistake unwritten{"unwritten", "output that was never written: rows of zeros or NaN", "", ""};

KnownMistake known(std::string_view id) {
    if (const mutants::Mutant* mutant = mutants::find(id)) {
        return {mutant->id, mutant->title, mutant->hazard, mutant->public_example};
    }
    expects(id == unwritten.id, "a mistake that is not in the catalogue");
    return unwritten;
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

double ratio_of(const TensorReport& report) {
    return report.worst_row ? report.worst_row->ratio : report.worst.ratio;
}

/// Of several types whose noise would explain an error, that is nearest whose honest kernels err so much: by 0.45 sigma
/// (docs/error_model.md section 7). Squared, in octaves, over the tensors.
double distance_from_typical(const CaseReport& agreement, const std::vector<std::string>& tensors) {
    double sum = 0, rows = 0;
    for (const TensorReport& tensor : agreement.tensors) {
        if (std::find(tensors.begin(), tensors.end(), tensor.tensor) == tensors.end()) continue;
        for (const RegionReport& region : tensor.regions) {
            if (!(region.rms_ratio > 0)) continue;
            const double octaves = std::log2(region.rms_ratio / 0.45);
            sum += octaves * octaves * static_cast<double>(region.rows);
            rows += static_cast<double>(region.rows);
        }
    }
    return rows > 0 ? sum / rows : 0;
}

/// What the trial explains, if anything.
std::optional<Found> judge(const Mistake& mistake, const Trial& trial, const Evidence& evidence) {
    const CaseReport agreement = compare_case(trial.truth, trial.candidate);
    // A mistake whose own result passes as right makes no difference in this case.
    const CaseReport difference = trial.repaired ? CaseReport{} : compare_case(evidence.golden, trial.truth.results);
    Found found;
    found.repaired = trial.repaired;
    found.explanation.id = mistake.id;
    found.explanation.title = trial.title;
    for (const TensorReport& tensor : agreement.tensors) {
        if (!passes(&tensor)) continue;
        if (!trial.repaired && !fails(find(difference, tensor.tensor))) continue;
        found.explanation.tensors.push_back(tensor.tensor);
        found.explanation.ratio = std::max(found.explanation.ratio, ratio_of(tensor));
        add_evidence(found, tensor.tensor, every_row(evidence.golden.results, tensor.tensor), evidence.golden.results,
                     evidence.golden.judge->scales, trial.candidate, trial.truth.results);
    }
    if (trial.repaired) found.energy = distance_from_typical(agreement, found.explanation.tensors);
    return found.explanation.tensors.empty() ? std::nullopt : std::optional(std::move(found));
}

class Search {
public:
    Search(const golden::CaseData& golden, const golden::Results& candidate, const CaseReport& report, double budget)
        : golden_(golden),
          candidate_(candidate),
          report_(report),
          failing_(failing_only(candidate, report)),
          budget_(budget) {}

    Diagnosis run() {
        const bool gradients = failing_.dq || failing_.dk || failing_.dv;
        if (!golden_.judge || !(failing_.out || failing_.lse || gradients)) return {};
        const Evidence evidence{golden_, failing_, gradients};
        try_mistakes(output_mistakes(), evidence);
        // Mutants compute the dialect exact; the same mistakes in others are recomputed by the reference.
        if (golden_.problem.dialect != "exact") {
            try_mistakes(merge_mistakes(), evidence);
            try_mistakes(problem_mistakes(), evidence);
        } else {
            std::set<std::string, std::less<>> named;
            for (const Found& one : found_) named.insert(one.explanation.id);
            add(try_mutants(golden_, candidate_, report_, named, budget_ - diagnosis_.work));
        }
        try_mistakes(precision_mistakes(), evidence);
        add(try_dialects(golden_, candidate_, report_, budget_ - diagnosis_.work));
        diagnosis_.explanations = ranked(std::move(found_));
        return std::move(diagnosis_);
    }

private:
    void try_mistakes(std::span<const Mistake> mistakes, const Evidence& evidence) {
        const double work = forward_work(golden_.problem);
        for (const Mistake& mistake : mistakes) {
            if (mistake.shows != Shows::anywhere && passes(find(report_, "out"))) continue;
            if (mistake.shows == Shows::in_out_and_lse && passes(find(report_, "lse"))) continue;
            if (is_found(mistake.id)) continue;
            const double cost = work * (evidence.gradients ? mistake.cost.gradients : mistake.cost.forward);
            if (diagnosis_.work + cost > budget_) {
                diagnosis_.not_tried.emplace_back(mistake.id);
                continue;
            }
            const std::optional<Trial> trial = mistake.attempt(evidence);
            // What is ruled out or does not apply took a forward pass at most.
            diagnosis_.work += trial ? cost : std::min(cost, work);
            if (!trial) continue;
            if (auto found = judge(mistake, *trial, evidence)) keep(std::move(*found));
        }
    }

    void add(Tried tried) {
        diagnosis_.work += tried.work;
        for (std::string& id : tried.not_tried) diagnosis_.not_tried.push_back(std::move(id));
        for (Found& one : tried.found) keep(std::move(one));
    }

    void keep(Found found) {
        if (!found.dialect) {
            const KnownMistake mistake = known(found.explanation.id);
            if (found.explanation.title.empty()) found.explanation.title = mistake.title;
            found.explanation.hazard = mistake.hazard;
            found.explanation.public_example = mistake.public_example;
        }
        found_.push_back(std::move(found));
    }

    [[nodiscard]] bool is_found(std::string_view id) const {
        return std::any_of(found_.begin(), found_.end(), [&](const Found& one) { return one.explanation.id == id; });
    }

    const golden::CaseData& golden_;
    const golden::Results& candidate_;
    const CaseReport& report_;
    golden::Results failing_;
    double budget_;
    Diagnosis diagnosis_;
    std::vector<Found> found_;
};

}  // namespace

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

std::vector<KnownMistake> known_mistakes() {
    std::vector<KnownMistake> all;
    for (const mutants::Mutant& mutant : mutants::catalogue()) all.push_back(known(mutant.id));
    all.push_back(unwritten);
    return all;
}

Diagnosis explain(const golden::CaseData& golden, const golden::Results& candidate, const CaseReport& report,
                  double multiply_adds) {
    return Search(golden, candidate, report, multiply_adds).run();
}

}  // namespace dca::verify
