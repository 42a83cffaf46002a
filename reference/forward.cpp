#include "reference/forward.hpp"

#include <quadmath.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/math/parallel.hpp"
#include "reference/operands.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// The running softmax of one query tile: row maximum m, denominator l and numerator o, both relative to exp(m).
struct RunningSoftmax {
    RunningSoftmax(int rows, int padded_dim_v)
        : padded_rows(static_cast<int>(round_up(rows, tiles::row_alignment))),
          dim(padded_dim_v),
          m(static_cast<std::size_t>(rows), minus_infinity),
          l(static_cast<std::size_t>(rows), 0.0),
          o(static_cast<std::size_t>(padded_rows) * dim) {}

    /// Turns a row of scores into exp(score - m), having updated m and l and rescaled o.
    void absorb(const tiles::Kernels& kernels, int row, double* scores, int columns) {
        double& maximum = m[static_cast<std::size_t>(row)];
        double& denominator = l[static_cast<std::size_t>(row)];
        const double new_maximum = std::max(maximum, kernels.row_max(scores, columns));
        if (new_maximum == minus_infinity) {
            std::fill(scores, scores + columns, 0.0);
            return;
        }
        const double sum = kernels.exp_minus(scores, columns, new_maximum);
        if (new_maximum > maximum) {
            double rescale = maximum;
            kernels.exp_minus(&rescale, 1, new_maximum);
            denominator *= rescale;
            kernels.scale(o.data() + static_cast<std::ptrdiff_t>(row) * dim, dim, rescale);
            maximum = new_maximum;
        }
        denominator += sum;
    }

    int padded_rows, dim;
    std::vector<double> m, l;
    AlignedBuffer o;
};

/// Writes out and lse of one tile. A row that saw no key keeps out 0 and lse -inf.
void finish(const SequenceContext& context, const QueryTile& tile, std::int64_t head, const RunningSoftmax& state,
            Outputs& outputs) {
    const Sequence& seq = context.sequence;
    for (int r = 0; r < tile.rows(); ++r) {
        const double m = state.m[static_cast<std::size_t>(r)], l = state.l[static_cast<std::size_t>(r)];
        const std::int64_t row = seq.query_begin + tile.row_begin + r;
        double* out = &outputs.out(seq.batch, row, head, 0);
        double& lse = outputs.lse(seq.batch, head, row);
        if (m == minus_infinity && l == 0) continue;
        // logq: the same bits on every machine, which the C library's log does not promise.
        lse = static_cast<double>(static_cast<__float128>(m) + logq(l));
        if (!std::isfinite(lse)) {
            throw InvalidProblem("the logits of batch " + std::to_string(seq.batch) + ", head " + std::to_string(head) +
                                 ", row " + std::to_string(row) + " overflow double precision");
        }
        const double* o = state.o.data() + static_cast<std::ptrdiff_t>(r) * state.dim;
        for (int c = 0; c < context.head_dim_v; ++c) out[c] = o[c] / l;
    }
}

/// One query tile of one head against every key its modes see.
void attend(const SequenceContext& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
            std::span<const Mode> modes, Outputs& outputs) {
    const tiles::Kernels& kernels = tiles::best();
    RunningSoftmax state(tile.rows(), context.padded_dim_v);
    std::vector<double> rotated(static_cast<std::size_t>(tile.rows()) * context.head_dim);
    AlignedBuffer packed_q(tiles::left_size(tile.rows(), context.head_dim));
    AlignedBuffer scores(static_cast<std::size_t>(state.padded_rows) * key_tile_columns);
    AlignedBuffer packed_p(tiles::left_size(tile.rows(), key_tile_columns));

    for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        if (std::find(modes.begin(), modes.end(), span.mode) == modes.end()) continue;
        rotated_queries(context, tile, head, span.mode, context.softmax_scale, rotated.data());
        kernels.pack_left(false, tile.rows(), context.head_dim, rotated.data(), context.head_dim, packed_q.data());
        for (std::int64_t start = span.begin / key_tile_columns * key_tile_columns; start < span.end;
             start += key_tile_columns) {
            const KeyBlock block = key_block(span, start, tile.last_index());
            if (block.columns == 0) break;
            kernels.multiply_packed(state.padded_rows, block.columns, context.head_dim, packed_q.data(),
                                    KeyOperands::at_scores(keys.k_scores, block.base, context.head_dim),
                                    KeyOperands::scores_stride(context.head_dim), scores.data(), key_tile_columns,
                                    false);
            mask_scores(span, block, tile, scores.data(), minus_infinity);
            for (int r = 0; r < tile.rows(); ++r) {
                state.absorb(kernels, r, scores.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns,
                             block.columns);
            }
            kernels.pack_left(false, tile.rows(), block.columns, scores.data(), key_tile_columns, packed_p.data());
            kernels.multiply_packed(state.padded_rows, context.padded_dim_v, block.columns, packed_p.data(),
                                    KeyOperands::at_values(keys.v_values, block.base),
                                    KeyOperands::values_stride(context.padded_keys), state.o.data(), state.dim, true);
        }
    }
    finish(context, tile, head, state, outputs);
}

Outputs empty_outputs(const Shape& shape) {
    Outputs outputs{Tensor4(out_extents(shape)), Tensor3(lse_extents(shape))};
    std::ranges::fill(outputs.lse.values(), minus_infinity);
    return outputs;
}

Outputs run(const Problem& problem, const Inputs& inputs, std::span<const Mode> modes) {
    require_computable(problem, inputs);
    Outputs outputs = empty_outputs(problem.shape);
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            const KeyOperands keys(context, kv_head, false);
            const double work = context.head_work() * static_cast<double>(context.group);
            parallel_for(static_cast<std::int64_t>(tiles.size()) * context.group, work, [&](std::int64_t item) {
                const QueryTile& tile = tiles[static_cast<std::size_t>(item / context.group)];
                attend(context, keys, tile, kv_head * context.group + item % context.group, modes, outputs);
            });
        }
    }
    return outputs;
}

}  // namespace

Outputs forward(const Problem& problem, const Inputs& inputs) {
    return run(problem, inputs, all_modes);
}

Outputs partial(const Problem& problem, const Inputs& inputs, Mode mode) {
    return run(problem, inputs, std::span(&mode, 1));
}

}  // namespace dca::reference
