// Rotation of the peer's rows, in a type wider than the one they are rounded to.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "verify/peer/geometry.hpp"

namespace dca::peer {

/// Wide: double for 16-bit and narrower types and float32, long double for float64.
template <class Wide>
class Rotary {
public:
    Rotary(const Problem& problem, std::int64_t keys, bool float32_angles)
        : pairs_(problem.resolved_rotary_dim() / 2),
          dim_(problem.shape.head_dim),
          interleaved_(problem.rope.layout == RopeLayout::interleaved),
          float32_(float32_angles),
          factor_(table_factor(problem.rope)),
          frequency_(frequencies(problem, keys)) {}

    /// y = R(position) x, or += its transpose.
    void rotate(const Wide* x, std::int64_t position, Wide* y) const {
        std::copy(x, x + dim_, y);
        turn(x, position, 1, [&](std::int64_t a, std::int64_t b, Wide ya, Wide yb) {
            y[a] = ya;
            y[b] = yb;
        });
    }
    void add_back(const Wide* x, std::int64_t position, Wide* y) const {
        for (std::int64_t e = 2 * pairs_; e < dim_; ++e) y[e] += x[e];
        turn(x, position, -1, [&](std::int64_t a, std::int64_t b, Wide ya, Wide yb) {
            y[a] += ya;
            y[b] += yb;
        });
    }

private:
    template <class Put>
    void turn(const Wide* x, std::int64_t position, int sign, const Put& put) const {
        for (std::int64_t k = 0; k < pairs_; ++k) {
            const double f = frequency_[static_cast<std::size_t>(k)];
            const Wide angle = float32_ ? Wide{static_cast<float>(position) * static_cast<float>(f)}
                                        : static_cast<Wide>(position) * Wide{f};
            const Wide c = factor_ * std::cos(angle), s = Wide(sign) * factor_ * std::sin(angle);
            const std::int64_t a = interleaved_ ? 2 * k : k, b = interleaved_ ? 2 * k + 1 : k + pairs_;
            put(a, b, x[a] * c - x[b] * s, x[b] * c + x[a] * s);
        }
    }

    std::int64_t pairs_, dim_;
    bool interleaved_, float32_;
    Wide factor_;
    std::vector<double> frequency_;
};

}  // namespace dca::peer
