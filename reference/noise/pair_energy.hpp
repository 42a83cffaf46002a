// Mean squares of rotary pairs. A rotation turns a pair and keeps its mean square, so statements about them hold in the
// rotated frame of any mode and after rotating back (docs/error_model.md section 3).
#pragma once

#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::reference::noise {

/// Columns [0, pairs()) are the rotary pairs, the others the dims that pass through, one each.
class PairEnergy {
public:
    PairEnergy(RopeLayout layout, std::int64_t head_dim, std::int64_t rotary_dim);

    [[nodiscard]] int pairs() const { return pairs_; }
    [[nodiscard]] int columns() const { return head_dim_ - pairs_; }
    /// Column a dim belongs to.
    [[nodiscard]] int column(int dim) const { return column_[static_cast<std::size_t>(dim)]; }
    /// The two dims of a pair.
    [[nodiscard]] int first(int pair) const { return layout_ == RopeLayout::interleaved ? 2 * pair : pair; }
    [[nodiscard]] int second(int pair) const {
        return layout_ == RopeLayout::interleaved ? 2 * pair + 1 : pair + pairs_;
    }

    /// energy[column] = mean square of its dims; row has head_dim values.
    void measure(const double* row, double* energy) const;
    /// mean[column] = mean of its dims.
    void average(const double* row, double* mean) const;

private:
    RopeLayout layout_;
    int head_dim_, pairs_;
    std::vector<int> column_;
};

}  // namespace dca::reference::noise
