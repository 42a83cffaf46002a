#include "reference/certified/block_scores.hpp"

#include <algorithm>

namespace dca::certified {

DoutOperands::DoutOperands(const Context& context, const QueryTile& tile, std::int64_t head, bool for_keys)
    : left(left_size(tile.rows(), context.dim_v)) {
    const Sequence& seq = context.sequence;
    const Tensor4& dout = *context.inputs.dout;
    const double* rows = &dout(seq.batch, seq.query_begin + tile.row_begin, head, 0);
    const auto stride = static_cast<std::ptrdiff_t>(dout.view().stride(1));
    kernels().pack_left(false, tile.rows(), context.dim_v, rows, stride, left.data());
    if (!for_keys) return;
    right = AlignedBuffer(static_cast<std::size_t>(tile.rows()) * static_cast<std::size_t>(context.padded_dim_v));
    kernels().pack_right(false, context.dim_v, tile.rows(), rows, stride, right.data(),
                         static_cast<std::ptrdiff_t>(tile.rows()) * kernels().right_panel);
}

BlockScores::BlockScores(int rows)
    : padded_rows(static_cast<int>(round_up(rows, row_alignment))),
      p(static_cast<std::int64_t>(padded_rows) * key_tile_columns),
      ds(static_cast<std::int64_t>(padded_rows) * key_tile_columns),
      total(static_cast<std::size_t>(padded_rows)),
      score_bias_(static_cast<std::size_t>(padded_rows)),
      dp_bias_(static_cast<std::size_t>(padded_rows)) {}

void BlockScores::compute(const Context& context, const KeyOperands& keys, const QueryOperands& q,
                          const DoutOperands& dout, const QueryTile& tile, const KeySpan& span, const KeyBlock& block,
                          const HeadFacts& facts) {
    const auto fact = [&](int r) -> const RowFacts& { return facts[static_cast<std::size_t>(tile.row_begin + r)]; };
    padded_rows = tile.padded_rows();
    for (int r = 0; r < padded_rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        const bool real = r < tile.rows();
        score_bias_[at] = Bias(real ? q.norm[at] * keys.key_norm * inflation : 0).value;
        dp_bias_[at] = Bias(real ? fact(r).dp_largest : 0).value;
    }
    multiply_scores(q, keys, block, padded_rows, context.dim, score_bias_.data(), p);
    kernels().multiply({.m = padded_rows,
                        .n = block.columns,
                        .k = context.dim_v,
                        .left = dout.left.data(),
                        .left_lo = nullptr,
                        .right = keys.v_scores.data() + block.base * context.dim_v,
                        .right_lo = nullptr,
                        .right_stride = KeyOperands::scores_stride(context.dim_v),
                        .row_bias = dp_bias_.data(),
                        .column_bias = nullptr,
                        .hi = ds.hi.data(),
                        .lo = ds.lo.data(),
                        .ld = key_tile_columns,
                        .accumulate = false});
    mask_scores(span, block, tile, p.hi.data(), p.lo.data());
    for (int r = 0; r < tile.rows(); ++r) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * key_tile_columns;
        const RowFacts& row = fact(r);
        kernels().exp_times(p.hi.data() + at, p.lo.data() + at, block.columns, row.exponent, row.inverse_hi,
                            row.inverse_lo);
        double sum = kernels().score_gradient(p.hi.data() + at, p.lo.data() + at, ds.hi.data() + at, ds.lo.data() + at,
                                              block.columns, row.delta_hi, row.delta_lo);
        if (row.one_key) {
            std::fill_n(ds.hi.data() + at, block.columns, 0.0);
            std::fill_n(ds.lo.data() + at, block.columns, 0.0);
            sum = 0;
        }
        total[static_cast<std::size_t>(r)] = sum;
    }
}

}  // namespace dca::certified
