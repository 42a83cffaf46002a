// Second pass over the keys: p, dP and dS of every sampled row; dk and dv of a slice are finished when it has passed,
// dq when all have.
#pragma once

#include <array>

#include "reference/sampled/long_sum.hpp"
#include "reference/sampled/radius.hpp"
#include "reference/sampled/rows.hpp"
#include "reference/sampled/unit_keys.hpp"

namespace dca::reference::sampled {

class Gradients {
public:
    /// outputs: of the samples; context.inputs has their dout.
    Gradients(const SequenceContext& context, const Rows& rows, const Outputs& outputs, const RowBounds& bounds);

    /// The keys of a loaded slice; writes their dk and dv, (keys, heads_kv, dim).
    void add(const Slice& slice, std::span<double> dk, std::span<double> dv);
    /// Writes dq, (1, samples, heads, dim).
    void finish(Tensor4& dq) const;

    /// Over the keys added so far.
    [[nodiscard]] const ColumnBounds& column_bounds() const { return column_bounds_; }

private:
    /// sum ds k~ of one unit, (head of the group, sample, channel).
    struct Part {
        std::vector<double> dq;
        ColumnBounds bounds;
    };
    struct KeySums;
    void compute(const Slice& slice, const Unit& unit, std::int64_t kv_head, Part& part, std::span<double> dk,
                 std::span<double> dv) const;
    void attend(const UnitKeys& keys, const Unit& unit, const RowTile& tile, std::int64_t head, double* dq_rows,
                KeySums& sums) const;

    const SequenceContext& context_;
    const Rows& rows_;
    const Outputs& outputs_;
    const RowBounds& bounds_;
    ColumnBounds column_bounds_;
    std::vector<double> delta_;          ///< dout . out, (head, sample)
    std::array<LongSums, 3> turned_dq_;  ///< by mode, in its frame: (head, sample, channel)
};

}  // namespace dca::reference::sampled
