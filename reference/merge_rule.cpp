#include "reference/merge_rule.hpp"

#include <algorithm>
#include <cmath>

#include "reference/tiles/tiles.hpp"

namespace dca::reference {
const MergeRule& merge_rule(const Problem& problem) {
    const Dialect& dialect = dialect_of(problem);
    if (dialect.flash_merge && problem.facts.path == MegatronPath::flash) return *dialect.flash_merge;
    return problem.resolved_phase() == Phase::decode ? dialect.decode_merge : dialect.prefill_merge;
}

Merge::Merge(const Problem& problem)
    : rule_(merge_rule(problem)), activation_dtype_(activation_dtype(problem.dtype)), activation_(activation_dtype_) {}

bool Merge::rounds_weights() const {
    return rule_.parts && (rule_.weight != Rounding::none || rule_.lse != Rounding::none);
}

bool Merge::rounds_to_16_bits() const {
    const auto coarse = [&](Rounding rounding) {
        return traits(dtype_of(rounding)).precision < traits(Dtype::f32).precision;
    };
    return rule_.parts && (coarse(rule_.weight) || coarse(rule_.lse));
}

Dtype Merge::dtype_of(Rounding rounding) const {
    switch (rounding) {
        case Rounding::none: return Dtype::f64;
        case Rounding::float32: return Dtype::f32;
        case Rounding::bf16: return Dtype::bf16;
        case Rounding::activation: return activation_dtype_;
    }
    return Dtype::f64;
}

double Merge::rounded(Rounding rounding, double x) const {
    return round_to(dtype_of(rounding), x);
}

double Merge::rounded_across(Rounding rounding, double x, double width) const {
    const Dtype dtype = dtype_of(rounding);
    const double nearest = round_to(dtype, x);
    // Formats as wide as the arithmetic around them flip with every error; those flips are part of that error.
    if (traits(dtype).precision >= traits(Dtype::f32).precision || x == 0 || !std::isfinite(x)) return nearest;
    const int exponent = std::max(std::ilogb(x), traits(dtype).min_exponent);
    const double spacing = std::ldexp(1.0, exponent - (traits(dtype).precision - 1));
    const double other = nearest + (x < nearest ? -spacing : spacing);
    return std::abs(x - (nearest + other) / 2) <= width ? other : nearest;
}

PerMode Merge::weights(const PerMode& lse) const {
    return weights(lse, nullptr);
}

PerMode Merge::weights_across(const PerMode& lse, Mode mode, double width) const {
    const Tie tie{static_cast<std::size_t>(mode), width};
    return weights(lse, &tie);
}

PerMode Merge::weights(const PerMode& lse, const Tie* tie) const {
    PerMode weight{};
    if (!std::isfinite(std::max({lse[0], lse[1], lse[2]}))) return weight;
    const auto round_one = [&](Rounding rounding, std::size_t m, double x, double width) {
        return tie != nullptr && tie->mode == m ? rounded_across(rounding, x, width) : rounded(rounding, x);
    };
    // Weights kept in the activation dtype are formed in it, step by step; the others in float32 or wider, whose own
    // rounding is left to the candidate.
    const Rounding steps = rule_.weight == Rounding::activation ? Rounding::activation : Rounding::none;
    const double width = tie != nullptr ? tie->width : 0;
    for (std::size_t m = 0; m < lse.size(); ++m) weight[m] = round_one(rule_.lse, m, lse[m], width);
    const double shift = *std::max_element(weight.begin(), weight.end());
    double sum = 0;
    for (double& w : weight) {
        w = rounded(steps, w - shift);
        tiles::best().exp_minus(&w, 1, 0.0);
        w = rounded(steps, w);
        sum += w;
    }
    sum = rounded(steps, sum);
    for (std::size_t m = 0; m < lse.size(); ++m) {
        const double w = weight[m] / sum;
        weight[m] = w == 1 ? 1 : round_one(rule_.weight, m, w, w * width);
    }
    return weight;
}

MergeWeights merge_weights(const Merge& merge, const Parts& parts) {
    MergeWeights weights;
    for (Tensor3& of_mode : weights) of_mode = Tensor3(parts[0].lse.extents());
    for (std::size_t n = 0; n < parts[0].lse.values().size(); ++n) {
        PerMode lse{};
        for (std::size_t m = 0; m < lse.size(); ++m) lse[m] = parts[m].lse.values()[n];
        const PerMode row = merge.weights(lse);
        for (std::size_t m = 0; m < lse.size(); ++m) weights[m].values()[n] = row[m];
    }
    return weights;
}

void Merge::add_products(double weight, double* part, int channels, double* out) const {
    if (rule_.part_in_activation) activation_.round(part, channels);
    for (int c = 0; c < channels; ++c) part[c] *= weight;
    if (rule_.product_in_activation) activation_.round(part, channels);
    for (int c = 0; c < channels; ++c) out[c] += part[c];
}

GradientRule gradient_rule(const Problem& problem) {
    const Dialect& dialect = dialect_of(problem);
    return problem.resolved_phase() == Phase::decode ? dialect.decode_gradient : dialect.prefill_gradient;
}

}  // namespace dca::reference
