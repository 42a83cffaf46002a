// The partial results of the modes become one row, as public three-call code does it.
#pragma once

#include "verify/peer/row_kernel.hpp"

namespace dca::peer {

template <class Real>
using Partials = std::array<Softmaxed<Real>, mode_count>;

/// Weights of the modes and lse of the row; `stale`: lse of the inter keys of the row before, where the rule asks.
template <class Real, class Exp>
struct MergeWeights {
    std::array<Real, mode_count> weight{};
    Real lse = -std::numeric_limits<Real>::infinity();

    MergeWeights(const Partials<Real>& partials, Merge rule, Real stale, const Exp& exp_of) {
        std::array<Real, mode_count> lse_of;
        for (std::size_t m = 0; m < partials.size(); ++m) {
            lse_of[m] = partials[m].lse;
            if (!partials[m].present && rule == Merge::empty_plus_inf) lse_of[m] = -lse_of[m];
        }
        const auto sum_of = [&](Real top) {
            Real sum = 0;
            for (Real one : lse_of) sum += exp_of(one - top);
            return sum;
        };
        Real top = *std::max_element(lse_of.begin(), lse_of.end());
        lse = top + static_cast<Real>(std::log(double{sum_of(top)}));
        if (rule == Merge::stale_lse && partials[2].present && std::isfinite(stale)) lse_of[2] = stale;
        top = *std::max_element(lse_of.begin(), lse_of.end());
        const auto largest = std::max_element(lse_of.begin(), lse_of.end()) - lse_of.begin();
        Real total = 0;
        for (std::size_t m = 0; m < partials.size(); ++m) {
            const Real below = lse_of[m] - top;
            weight[m] = rule == Merge::base_2 ? static_cast<Real>(std::exp2(double{below})) : exp_of(below);
            if (rule == Merge::average) weight[m] = partials[m].present ? 1 : 0;
            if (rule == Merge::largest) weight[m] = static_cast<std::ptrdiff_t>(m) == largest ? 1 : 0;
            total += weight[m];
        }
        // Divided by their sum, a rounding of lse as a whole does not matter.
        for (Real& w : weight) {
            w /= total;
            if (rule == Merge::weights_in_bf16) w = static_cast<Real>(round_to(Dtype::bf16, double{w}));
        }
        if (rule == Merge::no_rescale) {
            Real running = -std::numeric_limits<Real>::infinity();
            for (std::size_t m = 0; m < partials.size(); ++m) {
                if (!partials[m].present) continue;
                const Real above = std::max(running, lse_of[m]);
                running = above + static_cast<Real>(
                                      std::log(double{exp_of(running - above)} + double{exp_of(lse_of[m] - above)}));
                weight[m] = exp_of(lse_of[m] - running);
            }
        }
    }
};

/// out (not rounded) and lse of the row.
template <class Real, class Exp>
[[nodiscard]] Softmaxed<Real> merge(const Partials<Real>& partials, Merge rule, Real stale, const Exp& exp_of) {
    const MergeWeights<Real, Exp> merged(partials, rule, stale, exp_of);
    Softmaxed<Real> row{Values<Real>(partials[0].out.size())};
    for (std::size_t m = 0; m < partials.size(); ++m) {
        row.present = row.present || partials[m].present;
        const bool poisoned = std::isnan(merged.weight[m]);
        if (!partials[m].present && !poisoned) continue;
        for (std::size_t c = 0; c < row.out.size(); ++c) row.out[c] += merged.weight[m] * partials[m].out[c];
    }
    row.lse = merged.lse;
    return row;
}

}  // namespace dca::peer
