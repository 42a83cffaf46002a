// How far the computed tensors can be from the exact ones: rounding error bounds row by row (docs/sampled.md).
#pragma once

#include "reference/sampled/rows.hpp"

namespace dca::reference::sampled {

/// Largest norms of the rows of K and V that have passed.
class Norms {
public:
    void add(const Tensor4& k, const Tensor4& v);
    [[nodiscard]] double k() const { return k_; }
    [[nodiscard]] double v() const { return v_; }

private:
    double k_ = 0, v_ = 0;
};

/// The largest over all keys of sum_i p_ij (bound of row i).
struct ColumnBounds {
    double dk = 0, dv = 0;
};

class RowBounds {
public:
    /// Of the samples of one batch entry and its keys. rescales: Softmax::rescales.
    RowBounds(const SequenceContext& context, const Rows& rows, const Norms& norms, std::int64_t rescales);

    /// What p_ij is multiplied by in the bounds of dk_j and dv_j.
    struct Weights {
        double dk, dv;
    };
    [[nodiscard]] const Weights& weights(std::int64_t head, int r) const {
        return weights_[static_cast<std::size_t>(head * samples_ + r)];
    }
    [[nodiscard]] Radii radii(const ColumnBounds& columns) const;

private:
    std::int64_t samples_;
    Radii rows_;
    std::vector<Weights> weights_;  ///< (head, sample)
};

/// The larger of each.
[[nodiscard]] Radii larger(const Radii& a, const Radii& b);

}  // namespace dca::reference::sampled
