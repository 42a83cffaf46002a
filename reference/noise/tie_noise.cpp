#include "reference/noise/tie_noise.hpp"

#include <algorithm>
#include <cmath>

namespace dca::reference {
namespace {

/// The weights of all rows with the near ties of one mode gone the other way; equal to `weights` where there are none.
MergeWeights flipped(const Merge& merge, const Parts& parts, const MergeWeights& weights,
                     const Tensor<float, 3>& lse_sigma, Mode mode) {
    MergeWeights out = weights;
    for (std::size_t n = 0; n < lse_sigma.values().size(); ++n) {
        PerMode lse{};
        for (std::size_t m = 0; m < lse.size(); ++m) lse[m] = parts[m].lse.values()[n];
        const PerMode row = merge.weights_across(lse, mode, tie_width_in_sigma * lse_sigma.values()[n]);
        for (std::size_t m = 0; m < lse.size(); ++m) out[m].values()[n] = row[m];
    }
    return out;
}

Tensor4 merged(const Problem& problem, const Merge& merge, const Parts& parts, const MergeWeights& weights) {
    const Shape& s = problem.shape;
    Tensor4 out(out_extents(s));
    std::vector<double> part(static_cast<std::size_t>(s.head_dim_v));
    for (std::int64_t b = 0; b < s.batch; ++b) {
        for (std::int64_t i = 0; i < s.seq_q; ++i) {
            for (std::int64_t h = 0; h < s.heads_q; ++h) {
                for (std::size_t m = 0; m < parts.size(); ++m) {
                    std::copy_n(&parts[m].out(b, i, h, 0), part.size(), part.data());
                    merge.add_products(weights[m](b, h, i), part.data(), static_cast<int>(part.size()),
                                       &out(b, i, h, 0));
                }
            }
        }
    }
    return out;
}

void widen(const Tensor4& before, const Tensor4& after, Tensor<float, 4>& sigma) {
    const auto dim = static_cast<std::size_t>(before.extent(3));
    for (std::size_t row = 0; row < before.values().size(); row += dim) {
        widen_by_change(before.values().subspan(row, dim), after.values().subspan(row, dim),
                        sigma.values().subspan(row, dim));
    }
}

}  // namespace

void widen_by_change(std::span<const double> before, std::span<const double> after, std::span<float> sigma) {
    double mean = 0;
    const auto change = [&](std::size_t e) { return after[e] - before[e]; };
    for (std::size_t e = 0; e < sigma.size(); ++e) {
        mean += change(e) * change(e) / static_cast<double>(sigma.size());
    }
    if (mean == 0) return;
    for (std::size_t e = 0; e < sigma.size(); ++e) {
        const double own = sigma[e];
        sigma[e] = static_cast<float>(std::sqrt(own * own + mean + change(e) * change(e)));
    }
}

bool has_tie_noise(const Problem& problem) {
    return Merge(problem).rounds_to_16_bits();
}

void add_tie_noise(const Problem& problem, const Inputs& inputs, const Outputs& outputs, const Parts& parts,
                   const Gradients* gradients, ErrorScales& scales) {
    const Merge merge(problem);
    if (!merge.rounds_to_16_bits()) return;
    const MergeWeights weights = merge_weights(merge, parts);
    const Tensor4 before = merged(problem, merge, parts, weights);
    for (Mode mode : all_modes) {
        const MergeWeights other = flipped(merge, parts, weights, scales.lse, mode);
        if (other == weights) continue;
        widen(before, merged(problem, merge, parts, other), scales.out);
        if (gradients == nullptr) continue;
        const Gradients changed = backward(problem, inputs, outputs, parts, other);
        widen(gradients->dq, changed.dq, *scales.dq);
        widen(gradients->dk, changed.dk, *scales.dk);
        widen(gradients->dv, changed.dv, *scales.dv);
    }
}

}  // namespace dca::reference
