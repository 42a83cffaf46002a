// The rotation of one pair (Def.4) by its relative position alone: tau q . turned(k, M) is the logit. A query is never
// rotated. Angles are exact: M has at most 32 bits and inv_freq 53, so their product fits the 113 bits of binary128,
// whose sincosq reduces it without loss; cos and sin are rounded to S once.
#pragma once

#include <cstdint>
#include <span>
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
        scale_ = scale * scale;  // once for the query, once for the key
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
                Quad sin = 0, cos = 0;
                sincosq(Quad(M.value()) * Quad(frequency), &sin, &cos);
                found->second.push_back({S(scale_ * cos), S(scale_ * sin)});
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
