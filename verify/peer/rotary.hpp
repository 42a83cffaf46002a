// Rotation of the peer's rows, in a type wider than the one they are rounded to.
#pragma once

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>
#include <vector>

#include "verify/peer/method.hpp"

namespace dca::peer {

/// Wide: double for 16-bit and narrower types and float32, long double for float64. Not for several threads.
template <class Wide>
class Rotary {
public:
    Rotary(const Problem& problem, std::int64_t keys, bool float32_angles, const Method& method)
        : pairs_(problem.resolved_rotary_dim() / 2),
          dim_(problem.shape.head_dim),
          interleaved_(problem.rope.layout == RopeLayout::interleaved),
          float32_(float32_angles),
          position_type_(method.position_type),
          factor_(method.rotation_factor.value_or(table_factor(problem.rope))),
          factor_back_(method.rotation_factor_back.value_or(static_cast<double>(factor_))),
          rest_(method.factor_on_all_dims ? factor_ : Wide{1}),
          frequency_(frequencies(problem, keys)) {}

    /// y = R(position) x, or += its transpose.
    void rotate(const Wide* x, std::int64_t position, Wide* y) const {
        for (std::int64_t e = 2 * pairs_; e < dim_; ++e) y[e] = rest_ * x[e];
        turn(x, position, 1, factor_, [&](std::int64_t a, std::int64_t b, Wide ya, Wide yb) {
            y[a] = ya;
            y[b] = yb;
        });
    }
    void add_back(const Wide* x, std::int64_t position, Wide* y) const {
        for (std::int64_t e = 2 * pairs_; e < dim_; ++e) y[e] += rest_ * x[e];
        turn(x, position, -1, factor_back_, [&](std::int64_t a, std::int64_t b, Wide ya, Wide yb) {
            y[a] += ya;
            y[b] += yb;
        });
    }

private:
    using Turns = std::vector<std::pair<Wide, Wide>>;  ///< cos and sin of every pair

    const Turns& turns(std::int64_t position) const {
        Turns& known = turns_[position];
        if (!known.empty() || pairs_ == 0) return known;
        const double at = position_type_ ? round_to(*position_type_, static_cast<double>(position)) : 0;
        for (double f : frequency_) {
            const Wide angle = position_type_ ? Wide{at} * Wide{f}
                               : float32_     ? Wide{static_cast<float>(position) * static_cast<float>(f)}
                                              : static_cast<Wide>(position) * Wide{f};
            known.emplace_back(std::cos(angle), std::sin(angle));
        }
        return known;
    }

    template <class Put>
    void turn(const Wide* x, std::int64_t position, int sign, Wide factor, const Put& put) const {
        const Turns& known = turns(position);
        for (std::int64_t k = 0; k < pairs_; ++k) {
            const Wide c = factor * known[static_cast<std::size_t>(k)].first;
            const Wide s = Wide(sign) * factor * known[static_cast<std::size_t>(k)].second;
            const std::int64_t a = interleaved_ ? 2 * k : k, b = interleaved_ ? 2 * k + 1 : k + pairs_;
            put(a, b, x[a] * c - x[b] * s, x[b] * c + x[a] * s);
        }
    }

    std::int64_t pairs_, dim_;
    bool interleaved_, float32_;
    std::optional<Dtype> position_type_;
    Wide factor_, factor_back_, rest_;
    std::vector<double> frequency_;
    mutable std::unordered_map<std::int64_t, Turns> turns_;
};

}  // namespace dca::peer
