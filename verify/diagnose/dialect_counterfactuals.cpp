#include "verify/diagnose/dialect_counterfactuals.hpp"

#include <algorithm>
#include <cmath>

#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/noise/tie_noise.hpp"
#include "reference/refusals.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

bool has_verdict(const CaseReport& report, const std::string& tensor, bool failed) {
    return std::any_of(report.tensors.begin(), report.tensors.end(), [&](const TensorReport& one) {
        return one.tensor == tensor && (one.verdict == Verdict::failed) == failed && one.verdict != Verdict::skipped &&
               one.verdict != Verdict::untested;
    });
}

/// The case as this dialect has it; nothing where its code cannot run the case, or its outputs are farther from the
/// candidate's than the golden's are.
std::optional<golden::CaseData> truth_of(const golden::CaseData& golden, const std::string& dialect,
                                         const golden::Results& candidate, bool gradients) {
    golden::CaseData truth;
    truth.id = golden.id;
    truth.problem = golden.problem;
    truth.problem.dialect = dialect;
    truth.inputs = golden.inputs;
    if (!gradients) truth.inputs.dout.reset();
    try {
        reference::require_reproducible(truth.problem, gradients);
    } catch (const Unsupported&) {
        return std::nullopt;
    }
    reference::Parts parts;
    Outputs outputs = reference::forward(truth.problem, truth.inputs, parts);
    if (candidate.out && golden.results.out) {
        double to_golden = 0, to_dialect = 0;
        for (std::size_t n = 0; n < outputs.out.values().size(); ++n) {
            const double got = candidate.out->values()[n];
            if (!std::isfinite(got)) continue;
            const double a = got - golden.results.out->values()[n], b = got - outputs.out.values()[n];
            to_golden += a * a;
            to_dialect += b * b;
        }
        // Where out is right in both, gradients may still tell them apart: only a plain distance rules out.
        if (to_dialect > 4 * to_golden) return std::nullopt;
    }
    ErrorScales scales = reference::error_scales(truth.problem, truth.inputs, outputs);
    std::optional<Gradients> computed;
    if (gradients) computed = reference::backward(truth.problem, truth.inputs, outputs, std::nullopt, &parts);
    if (reference::has_tie_noise(truth.problem)) {
        reference::add_tie_noise(truth.problem, truth.inputs, outputs, parts, computed ? &*computed : nullptr, scales);
    }
    truth.judge = golden::JudgeData{std::move(scales), golden.judge->regions, golden.judge->error_model_version};
    truth.results.out = std::move(outputs.out);
    truth.results.lse = std::move(outputs.lse);
    if (computed) {
        truth.results.dq = std::move(computed->dq);
        truth.results.dk = std::move(computed->dk);
        truth.results.dv = std::move(computed->dv);
    }
    return truth;
}

std::optional<Found> asked(const golden::CaseData& golden, const Dialect& dialect, const golden::Results& candidate,
                           const CaseReport& report, bool gradients) {
    const std::string name(dialect.name);
    const std::optional<golden::CaseData> truth = truth_of(golden, name, candidate, gradients);
    if (!truth) return std::nullopt;
    golden::Results comparable = candidate;
    if (!gradients) comparable.dq = comparable.dk = comparable.dv = std::nullopt;
    const CaseReport agreement = compare_case(*truth, comparable);
    const CaseReport difference = compare_case(golden, truth->results);
    Found found;
    found.dialect = true;
    found.explanation.id = "dialect-" + name;
    found.explanation.title =
        "the dialect " + name + " (" + std::string(dialect.title) + "): judge it with dca run --dialect " + name;
    for (const TensorReport& tensor : report.tensors) {
        const bool agrees = has_verdict(agreement, tensor.tensor, false);
        if (has_verdict(report, tensor.tensor, false) && has_verdict(agreement, tensor.tensor, true)) {
            return std::nullopt;  // right as it is, and wrong in that dialect
        }
        if (!has_verdict(report, tensor.tensor, true) || !agrees || !has_verdict(difference, tensor.tensor, true)) {
            continue;
        }
        found.explanation.tensors.push_back(tensor.tensor);
        for (const TensorReport& one : agreement.tensors) {
            if (one.tensor != tensor.tensor) continue;
            found.explanation.ratio =
                std::max(found.explanation.ratio, one.worst_row ? one.worst_row->ratio : one.worst.ratio);
        }
        add_evidence(found, tensor.tensor, every_row(golden.results, tensor.tensor), golden.results,
                     golden.judge->scales, candidate, truth->results);
    }
    return found.explanation.tensors.empty() ? std::nullopt : std::optional(std::move(found));
}

}  // namespace

Tried try_dialects(const golden::CaseData& golden, const golden::Results& candidate, const CaseReport& report,
                   double multiply_adds) {
    Tried tried;
    if (golden.problem.sparse_prefill() || !golden.results.out) return tried;
    const bool failing =
        has_verdict(report, "dq", true) || has_verdict(report, "dk", true) || has_verdict(report, "dv", true);
    const bool gradients = failing && golden.inputs.dout && golden.results.dq;
    // A forward pass and its error scales; with gradients both of the backward pass, and once more for ties.
    const double cost = forward_work(golden.problem) * (gradients ? 16 : 5);
    for (const Dialect& dialect : dialects()) {
        if (dialect.name == golden.problem.dialect) continue;
        if (tried.work + cost > multiply_adds) {
            tried.not_tried.push_back("dialect-" + std::string(dialect.name));
            continue;
        }
        tried.work += cost;
        if (auto found = asked(golden, dialect, candidate, report, gradients)) tried.found.push_back(std::move(*found));
    }
    return tried;
}

}  // namespace dca::verify
