// The right computation with some type narrower than the case declares: a silent loss of precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <span>

#include "reference/error_scale.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

/// The share of the error's energy that is a factor on the expected values, in sigma. Rounding has next to none: with N
/// independent errors about 1 / N.
double factor_share(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma) {
    double xx = 0, xe = 0, ee = 0;
    for (std::size_t n = 0; n < expected.size(); ++n) {
        const double s = double{sigma[n]};
        if (!(s > 0) || !std::isfinite(expected[n]) || !std::isfinite(got[n])) continue;
        const double x = expected[n] / s, e = (got[n] - expected[n]) / s;
        xx += x * x;
        xe += x * e;
        ee += e * e;
    }
    return xx > 0 && ee > 0 ? xe * xe / xx / ee : 0;
}

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

/// A tenth of the energy, a third of the size: more is a wrong factor.
constexpr double most_factor = 0.1;

/// Keeps the tensors whose errors are noise of the type of the trial, and counts them.
int keep_noise(Trial& trial) {
    const CaseReport report = compare_case(trial.truth, trial.candidate);
    const auto keep = [&](const char* tensor, const auto& expected, auto& value, const auto* sigma) {
        for (const TensorReport& one : report.tensors) {
            if (one.tensor != tensor || !is_noise_of_the_type(one) || !sigma) continue;
            if (factor_share(expected->values(), value->values(), sigma->values()) <= most_factor) return 1;
        }
        value.reset();
        return 0;
    };
    const auto pointer = [](const auto& optional) { return optional ? &*optional : nullptr; };
    const golden::Results& right = trial.truth.results;
    const ErrorScales& scales = trial.truth.judge->scales;
    golden::Results& left = trial.candidate;
    return keep("out", right.out, left.out, &scales.out) + keep("lse", right.lse, left.lse, &scales.lse) +
           keep("dq", right.dq, left.dq, pointer(scales.dq)) + keep("dk", right.dk, left.dk, pointer(scales.dk)) +
           keep("dv", right.dv, left.dv, pointer(scales.dv));
}

/// A kernel with a type narrower than declared.
struct Narrower {
    reference::KernelProfile profile;
    std::string title;
};

/// The right computation with narrower types than the case declares: the results are the golden's, the error scales
/// those of the types that explain most tensors, the first of several.
std::optional<Trial> narrower_types(const Evidence& evidence, const std::vector<Narrower>& types) {
    const golden::CaseData& golden = evidence.golden;
    if (!golden.results.out || !golden.results.lse) return std::nullopt;
    const Outputs outputs{*golden.results.out, *golden.results.lse};
    Inputs forward_inputs = golden.inputs;
    forward_inputs.dout.reset();
    const bool forward_failed = evidence.candidate.out || evidence.candidate.lse;
    std::optional<Trial> best;
    int most = 0;
    for (const Narrower& narrower : types) {
        Trial trial{golden, evidence.candidate, true, {}};
        const auto explained = [&](const Inputs& inputs) {
            trial.truth.judge->scales = reference::error_scales(golden.problem, inputs, outputs, narrower.profile);
            trial.candidate = evidence.candidate;
            return keep_noise(trial);
        };
        // The forward pass is cheaper to ask, and a narrower type shows there first.
        int count = forward_failed ? explained(forward_inputs) : 0;
        if (forward_failed && count == 0) continue;
        if (evidence.gradients) count = explained(golden.inputs);
        if (count <= most) continue;
        most = count;
        trial.title = narrower.title;
        best = std::move(trial);
    }
    return best;
}

std::optional<Trial> lower_precision(const Evidence& evidence) {
    const Problem& declared = evidence.golden.problem;
    std::vector<Narrower> types;
    for (const Dtype narrower : {Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16}) {
        if (!(unit_roundoff(narrower) > unit_roundoff(declared.dtype))) continue;
        Problem other = declared;
        other.dtype = narrower;
        types.push_back({reference::family_profile(other), "a computation in " + std::string(name(narrower)) +
                                                               " precision where the case declares " +
                                                               std::string(name(declared.dtype))});
    }
    return narrower_types(evidence, types);
}

std::optional<Trial> p_e4m3(const Evidence& evidence) {
    const Problem& declared = evidence.golden.problem;
    if (!(unit_roundoff(declared.resolved_p_dtype()) < unit_roundoff(Dtype::e4m3))) return std::nullopt;
    Narrower narrower{reference::family_profile(declared), {}};
    narrower.profile.p = narrower.profile.ds = Dtype::e4m3;
    narrower.profile.p_scale = 256;
    return narrower_types(evidence, {narrower});
}

std::optional<Trial> accumulator_bf16(const Evidence& evidence) {
    const Problem& declared = evidence.golden.problem;
    if (!(unit_roundoff(declared.resolved_accumulator()) < unit_roundoff(Dtype::bf16))) return std::nullopt;
    Narrower narrower{reference::family_profile(declared), {}};
    narrower.profile.accumulator = Dtype::bf16;
    return narrower_types(evidence, {narrower});
}

/// For each type the error scales: 3 forward passes without gradients, 9 with.
constexpr std::array mistakes{
    Mistake{"lower-precision", Cost{12, 36}, Shows::anywhere, lower_precision},
    Mistake{"p-e4m3", Cost{3, 9}, Shows::anywhere, p_e4m3},
    Mistake{"accumulator-bf16", Cost{3, 9}, Shows::anywhere, accumulator_bf16},
};

}  // namespace

std::span<const Mistake> precision_mistakes() {
    return mistakes;
}

}  // namespace dca::verify
