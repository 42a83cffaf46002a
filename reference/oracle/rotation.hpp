// The rotation of one pair (Def.4) by its relative position alone: tau q . turned(k, M) is the logit. A query is never
// rotated. Angles are exact products of M and inv_freq; each number type evaluates them (scaled_cos_sin).
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reference/oracle/frequencies.hpp"
#include "reference/oracle/positions.hpp"
#include "reference/oracle/scalar.hpp"

namespace dca::oracle {

/// The angles of one set of inverse frequencies. Each distance is computed when first asked for and kept.
template <Scalar S>
class RelativeRotation {
public:
    RelativeRotation(const Problem& problem, std::vector<double> inv_freq)
        : interleaved_(problem.rope.layout == RopeLayout::interleaved), inv_freq_(std::move(inv_freq)) {
        const Quad scale = mscale(problem.rope);
        scale_ = scale * scale;  // once for the query, once for the key; a double squared has 106 bits: exact
    }

    /// The key as a query at distance M sees it: rotary dims turned back by M and times mscale^2, the rest unchanged.
    void turn(RelativePosition M, std::span<const S> key, std::span<S> turned) {
        const std::vector<Angle>& angles = angles_at(M);
        for (std::size_t k = 0; k < angles.size(); ++k) {
            const auto [a, b] = pair(k);
            turned[a] = key[a] * angles[k].cos + key[b] * angles[k].sin;
            turned[b] = key[b] * angles[k].cos - key[a] * angles[k].sin;
        }
        for (std::size_t d = 2 * angles.size(); d < key.size(); ++d) turned[d] = key[d];
    }

    /// What a gradient with respect to the turned key means for the key itself: the transpose, added to dkey.
    void add_transposed(RelativePosition M, std::span<const S> dturned, std::span<S> dkey) {
        const std::vector<Angle>& angles = angles_at(M);
        for (std::size_t k = 0; k < angles.size(); ++k) {
            const auto [a, b] = pair(k);
            dkey[a] = dkey[a] + (dturned[a] * angles[k].cos - dturned[b] * angles[k].sin);
            dkey[b] = dkey[b] + (dturned[a] * angles[k].sin + dturned[b] * angles[k].cos);
        }
        for (std::size_t d = 2 * angles.size(); d < dkey.size(); ++d) dkey[d] = dkey[d] + dturned[d];
    }

private:
    /// mscale^2 times cos and sin of M inv_freq_k
    struct Angle {
        S cos, sin;
    };
    struct Pair {
        std::size_t a, b;
    };

    [[nodiscard]] Pair pair(std::size_t k) const {
        return interleaved_ ? Pair{2 * k, 2 * k + 1} : Pair{k, k + inv_freq_.size()};
    }

    const std::vector<Angle>& angles_at(RelativePosition M) {
        const auto [found, is_new] = angles_.try_emplace(M.value());
        if (is_new) {
            for (double frequency : inv_freq_) {
                auto [cos, sin] = scaled_cos_sin(std::type_identity<S>{}, M.value(), frequency, scale_);
                found->second.push_back({std::move(cos), std::move(sin)});
            }
        }
        return found->second;
    }

    bool interleaved_;
    std::vector<double> inv_freq_;
    Quad scale_;
    std::unordered_map<std::int64_t, std::vector<Angle>> angles_;
};

}  // namespace dca::oracle
