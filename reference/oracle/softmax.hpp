// The softmax of one query row over every key it sees, whatever the mode (Def.6), and its gradient (Def.9), or the
// gradient public code trains with, in which the weights that merge the modes are constants (Def.10, H34).
#pragma once

#include <array>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "reference/oracle/scalar.hpp"
#include "reference/spec/mode.hpp"

namespace dca::oracle {

enum class MergeGradient { exact, detached };

template <Scalar S>
struct Softmax {
    std::vector<S> probability;  ///< one per key
    S lse;                       ///< natural logarithm of the sum of exp(logit); -inf without keys
};

template <Scalar S>
[[nodiscard]] Softmax<S> softmax(std::vector<S> logits) {
    if (logits.empty()) return {{}, S(-std::numeric_limits<double>::infinity())};
    S top = logits.front();
    for (const S& logit : logits) {
        if (top < logit) top = logit;
    }
    S total{};
    for (S& term : logits) {
        term = exp(term - top);
        total = total + term;
    }
    for (S& term : logits) term = term / total;
    return {std::move(logits), top + log(total)};
}

/// dS_j = P_j (dP_j - Delta), where Delta is the mean of dP under the softmax of a part: all keys (exact), or the keys
/// of j's own mode (detached). The mean is taken relative to the part's first dP, so that a part of one key has
/// gradient 0 and not a rounding error. A part whose probabilities all underflowed has zero gradients. dP_j is the
/// gradient with respect to P_j, that is dO . v_j. All three spans have one entry per key.
template <Scalar S>
[[nodiscard]] std::vector<S> logit_gradients(std::span<const S> probability, std::span<const S> dprobability,
                                             std::span<const Mode> modes, MergeGradient rule) {
    struct Part {
        const S* origin = nullptr;
        S weight{}, moment{};
    };
    std::array<Part, all_modes.size()> parts;
    const auto part_of = [&](std::size_t j) -> Part& {
        return parts[rule == MergeGradient::exact ? 0 : static_cast<std::size_t>(modes[j])];
    };
    for (std::size_t j = 0; j < probability.size(); ++j) {
        Part& part = part_of(j);
        if (part.origin == nullptr) part.origin = &dprobability[j];
        part.weight = part.weight + probability[j];
        part.moment = part.moment + probability[j] * (dprobability[j] - *part.origin);
    }
    std::vector<S> gradients;
    for (std::size_t j = 0; j < probability.size(); ++j) {
        const Part& part = part_of(j);
        const bool empty = !(S{} < part.weight);
        gradients.push_back(empty ? S{}
                                  : probability[j] * (dprobability[j] - *part.origin - part.moment / part.weight));
    }
    return gradients;
}

}  // namespace dca::oracle
