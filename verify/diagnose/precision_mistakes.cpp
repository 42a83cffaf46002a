// The right computation in a narrower type than the case declares: a silent loss of precision.
#include <algorithm>
#include <array>

#include "reference/error_scale.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

/// Whether the errors are the noise of that type: within its lines, not larger than rounding alone (an honest result
/// has rms(error) / rms(sigma) of 0.1 to 0.9 in every type; the next wider type of the same range has an eighth of that
/// or less), and without outliers: the largest of a million normal deviates is 5, a lone wrong element among a
/// thousand 32.
bool is_noise_of_the_type(const TensorReport& tensor) {
    if (tensor.verdict != Verdict::passed && tensor.verdict != Verdict::marginal) return false;
    double rms = 0;
    for (const RegionReport& region : tensor.regions) {
        if (!(region.worst_element_ratio <= 12 * region.rms_ratio)) return false;
        rms = std::max(rms, region.rms_ratio);
    }
    return rms >= 1.0 / 32 && rms <= 1;
}

/// Keeps the tensors whose errors are noise of the type of the trial, and counts them.
int keep_noise(Trial& trial) {
    const CaseReport report = compare_case(trial.truth, trial.candidate);
    const auto keep = [&](const char* tensor, auto& value) {
        for (const TensorReport& one : report.tensors) {
            if (one.tensor == tensor && is_noise_of_the_type(one)) return 1;
        }
        value.reset();
        return 0;
    };
    golden::Results& left = trial.candidate;
    return keep("out", left.out) + keep("lse", left.lse) + keep("dq", left.dq) + keep("dk", left.dk) +
           keep("dv", left.dv);
}

/// The right computation in a narrower type than the case declares: the results are the golden's, the error scales
/// those of the type that explains most tensors, the widest of several.
std::optional<Trial> lower_precision(const Evidence& evidence) {
    const golden::CaseData& golden = evidence.golden;
    if (!golden.results.out || !golden.results.lse) return std::nullopt;
    const Outputs outputs{*golden.results.out, *golden.results.lse};
    Inputs forward_inputs = golden.inputs;
    forward_inputs.dout.reset();
    const bool forward_failed = evidence.candidate.out || evidence.candidate.lse;
    std::optional<Trial> best;
    int most = 0;
    for (Dtype narrower : {Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16}) {
        if (!(unit_roundoff(narrower) > unit_roundoff(golden.problem.dtype))) continue;
        Trial trial{golden, evidence.candidate, true, {}};
        trial.truth.problem.dtype = narrower;
        const auto explained = [&](const Inputs& inputs) {
            trial.truth.judge->scales = reference::error_scales(trial.truth.problem, inputs, outputs);
            trial.candidate = evidence.candidate;
            return keep_noise(trial);
        };
        // The forward pass is cheaper to ask, and a narrower type shows there first.
        int count = forward_failed ? explained(forward_inputs) : 0;
        if (forward_failed && count == 0) continue;
        if (evidence.gradients) count = explained(golden.inputs);
        if (count <= most) continue;
        most = count;
        trial.title = "a computation in " + std::string(name(narrower)) + " precision where the case declares " +
                      std::string(name(golden.problem.dtype));
        best = std::move(trial);
    }
    return best;
}

/// Four types, each with the error scales: 3 forward passes without gradients, 9 with.
constexpr std::array mistakes{
    Mistake{{"lower-precision", "a computation in a narrower type than the case declares", "H33",
             "the float64 runs of ChunkLlama and Megatron-LM draft PR #4048"},
            Cost{12, 36},
            Shows::anywhere,
            lower_precision},
};

}  // namespace

std::span<const Mistake> precision_mistakes() {
    return mistakes;
}

}  // namespace dca::verify
