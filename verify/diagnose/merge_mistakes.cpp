// Mistakes in how the partial results of the modes (Def.7) are combined, forward and backward.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

std::array<Outputs, 3> partials(const golden::CaseData& golden) {
    return {reference::partial(golden.problem, golden.inputs, Mode::intra),
            reference::partial(golden.problem, golden.inputs, Mode::succ),
            reference::partial(golden.problem, golden.inputs, Mode::inter)};
}

/// Error scales of outputs whose probabilities are the golden's times at most growth(row), some of them 0. With o' the
/// mistaken and o the right output, g the growth, and the terms of docs/error_model.md:
///   rounding of P     sum P'^2 v^2               <= g^2 sum P^2 v^2
///   logit errors      sum P'^2 (v - o')^2 s^2    <= 2 g^2 sum P^2 (v - o)^2 s^2 + 2 g^2 (o' - o)^2 sum P^2 s^2
///   output rounding   relative, so it follows |o'|
/// and sum P^2 s^2 is part of sigma_lse^2. Together: sigma'^2 <= 2 g^2 (sigma^2 + (o' - o)^2 sigma_lse^2) + (u o')^2
/// / 3.
void set_scales(const golden::CaseData& golden, const Tensor3& growth, golden::CaseData& mistaken) {
    const Outputs right{*golden.results.out, *golden.results.lse};
    const ErrorScales& scales = golden.judge->scales;
    const double output_roundoff = unit_roundoff(golden.problem.dtype);
    ErrorScales& result = mistaken.judge->scales;
    result.out = scales.out;
    const auto [batches, rows, heads, channels] = right.out.extents();
    for (std::int64_t b = 0; b < batches; ++b) {
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t a = 0; a < heads; ++a) {
                const double g = growth(b, a, i), sigma_lse = double{scales.lse(b, a, i)};
                for (std::int64_t c = 0; c < channels; ++c) {
                    const double out = (*mistaken.results.out)(b, i, a, c);
                    const double shift = (out - right.out(b, i, a, c)) * sigma_lse;
                    const double own = output_roundoff * out;
                    const double sigma = double{scales.out(b, i, a, c)};
                    result.out(b, i, a, c) =
                        static_cast<float>(std::sqrt(2 * g * g * (sigma * sigma + shift * shift) + own * own / 3));
                }
            }
        }
    }
    if (!mistaken.results.lse) return;
    // lse' = ln of a partial sum: its logit errors grow by g, and its own rounding follows |lse'|.
    result.lse = scales.lse;
    for (std::size_t n = 0; n < result.lse.values().size(); ++n) {
        const double own = std::abs(mistaken.results.lse->values()[n]) * unit_roundoff(Dtype::f32);
        const double grown = growth.values()[n] * double{scales.lse.values()[n]};
        const bool exact = golden.problem.dtype == Dtype::f64 || !std::isfinite(own);
        result.lse.values()[n] = static_cast<float>(std::hypot(grown, exact ? 0.0 : own));
    }
}

bool has_forward(const Evidence& evidence) {
    return evidence.golden.results.out && evidence.golden.results.lse &&
           (evidence.candidate.out || evidence.candidate.lse);
}

/// exp(lse of a part - lse of the whole): the probability mass of the part, 0 where it has no keys.
double mass(double part, double whole) {
    return std::isinf(part) ? 0.0 : std::exp(part - whole);
}

/// Attention that never looks at the keys of one mode.
std::optional<Trial> dropped(const Evidence& evidence, Mode mode) {
    if (!has_forward(evidence)) return std::nullopt;
    std::vector<Outputs> kept;
    for (Mode other : all_modes) {
        if (other != mode) kept.push_back(reference::partial(evidence.golden.problem, evidence.golden.inputs, other));
    }
    Outputs merged = reference::merge(kept);
    Trial trial{without_results(evidence.golden), evidence.candidate, false, {}};
    const Tensor3& whole = *evidence.golden.results.lse;
    Tensor3 growth(whole.extents());
    for (std::size_t n = 0; n < growth.values().size(); ++n) {
        const double rest = mass(merged.lse.values()[n], whole.values()[n]);
        growth.values()[n] = rest > 0 ? 1 / rest : 0.0;
    }
    trial.truth.results.out = std::move(merged.out);
    trial.truth.results.lse = std::move(merged.lse);
    set_scales(evidence.golden, growth, trial.truth);
    return trial;
}

std::optional<Trial> succ_dropped(const Evidence& evidence) {
    return dropped(evidence, Mode::succ);
}
std::optional<Trial> inter_dropped(const Evidence& evidence) {
    return dropped(evidence, Mode::inter);
}

/// The mean of the partial outputs of the modes a row has, whatever their mass.
std::optional<Trial> average(const Evidence& evidence) {
    if (!has_forward(evidence) || !evidence.candidate.out) return std::nullopt;
    const std::array<Outputs, 3> parts = partials(evidence.golden);
    const Tensor3& whole = *evidence.golden.results.lse;
    Tensor4 mean(evidence.golden.results.out->extents());
    Tensor3 growth(whole.extents());
    const auto [batches, rows, heads, channels] = mean.extents();
    for (std::int64_t b = 0; b < batches; ++b) {
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t a = 0; a < heads; ++a) {
                double smallest = 1;
                int present = 0;
                for (const Outputs& part : parts) {
                    const double weight = mass(part.lse(b, a, i), whole(b, a, i));
                    if (!(weight > 0)) continue;
                    ++present;
                    smallest = std::min(smallest, weight);
                    for (std::int64_t c = 0; c < channels; ++c) mean(b, i, a, c) += part.out(b, i, a, c);
                }
                if (present == 0) continue;
                for (std::int64_t c = 0; c < channels; ++c) mean(b, i, a, c) /= present;
                growth(b, a, i) = 1 / (present * smallest);
            }
        }
    }
    Trial trial{without_results(evidence.golden), evidence.candidate, false, {}};
    trial.truth.results.out = std::move(mean);
    set_scales(evidence.golden, growth, trial.truth);
    return trial;
}

/// Twice the right gradients' scale. In dS = P (dP - D) the mistake replaces D by the D_m of each mode. D_m is the mean
/// of dP within the mode, which makes sum P^2 (dP - D_m)^2 no larger than with D where P is flat within the mode; and
/// the rounding of out enters through three D_m instead of one D, each with the effect of the one: sqrt(3) < 2.
constexpr float detached_scale = 2;

std::optional<Tensor<float, 4>> widened(std::optional<Tensor<float, 4>> scale) {
    if (scale) {
        for (float& value : scale->values()) value *= detached_scale;
    }
    return scale;
}

std::optional<Trial> detached_merge(const Evidence& evidence) {
    const golden::CaseData& golden = evidence.golden;
    if (!evidence.gradients || !golden.inputs.dout || !golden.results.out || !golden.results.lse) return std::nullopt;
    const Outputs outputs{*golden.results.out, *golden.results.lse};
    Gradients gradients =
        reference::backward(golden.problem, golden.inputs, outputs, reference::GradientRule::detached_merge);
    Trial trial{without_results(golden), evidence.candidate, false, {}};
    trial.truth.results.dq = std::move(gradients.dq);
    trial.truth.results.dk = std::move(gradients.dk);
    trial.truth.judge->scales.dq = widened(golden.judge->scales.dq);
    trial.truth.judge->scales.dk = widened(golden.judge->scales.dk);
    return trial;
}

constexpr Mistake in_merge(std::string_view id, Shows shows, std::optional<Trial> (*attempt)(const Evidence&)) {
    return {id, Cost{1, 1}, shows, attempt};
}

constexpr std::array mistakes{
    // Measured: two thirds of it are the backward pass, the rest the partial outputs.
    Mistake{"detached-merge", Cost{0, 6}, Shows::anywhere, detached_merge},
    in_merge("inter-dropped", Shows::in_out_and_lse, inter_dropped),
    in_merge("succ-dropped", Shows::in_out_and_lse, succ_dropped),
    in_merge("merge-by-average", Shows::in_out, average),
};

}  // namespace

std::span<const Mistake> merge_mistakes() {
    return mistakes;
}

}  // namespace dca::verify
