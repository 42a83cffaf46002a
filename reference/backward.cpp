// Two passes, so that every gradient element has one writer and the result does not depend on the thread count: dq tile
// by tile over queries, then dk and dv tile by tile over keys. Each recomputes p from the global lse; no n x n array.
#include "reference/backward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/merge_rule.hpp"
#include "reference/operands.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

/// What p and ds of a row are formed from, (batch, heads_q, seq_q) each: p = weight exp(s - lse), ds = p (dp - delta).
/// One tensor where all modes share it, else one per mode.
struct RowFacts {
    std::vector<Tensor3> lse, weight, delta;  ///< weight: empty where it is 1
    [[nodiscard]] static double at(const std::vector<Tensor3>& facts, Mode mode, std::int64_t b, std::int64_t head,
                                   std::int64_t row) {
        return facts[facts.size() > 1 ? static_cast<std::size_t>(mode) : 0](b, head, row);
    }
};

Tensor3 row_dots(const Tensor4& dout, const Tensor4& out) {
    const auto [batch, rows, heads, dim] = out.extents();
    Tensor3 dots({batch, heads, rows});
    for (std::int64_t b = 0; b < batch; ++b) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t head = 0; head < heads; ++head) {
                const double* x = &dout(b, row, head, 0);
                const double* y = &out(b, row, head, 0);
                double sum = 0;
                for (std::int64_t c = 0; c < dim; ++c) sum += x[c] * y[c];
                dots(b, head, row) = sum;
            }
        }
    }
    return dots;
}

/// Of a merge with these weights: the gradient of one softmax per mode, times its weight.
RowFacts weighted_facts(const Inputs& inputs, const Outputs& outputs, const Parts& parts, const MergeWeights& weights,
                        GradientRule rule) {
    RowFacts facts;
    for (const Outputs& part : parts) {
        facts.lse.push_back(part.lse);
        if (rule == GradientRule::detached_merge) facts.delta.push_back(row_dots(*inputs.dout, part.out));
    }
    if (rule == GradientRule::exact) facts.delta.push_back(row_dots(*inputs.dout, outputs.out));
    facts.weight.assign(weights.begin(), weights.end());
    return facts;
}

RowFacts make_row_facts(const Problem& problem, const Inputs& inputs, const Outputs& outputs, GradientRule rule,
                        const Parts* parts) {
    const Merge merge(problem);
    const bool detached = rule == GradientRule::detached_merge;
    Parts computed;
    if ((detached || merge.rounds_weights()) && parts == nullptr) {
        (void)forward(problem, inputs, computed);
        parts = &computed;
    }
    if (merge.rounds_weights()) return weighted_facts(inputs, outputs, *parts, merge_weights(merge, *parts), rule);
    RowFacts facts;
    facts.lse.push_back(outputs.lse);
    if (detached) {
        for (const Outputs& part : *parts) facts.delta.push_back(row_dots(*inputs.dout, part.out));
    } else {
        facts.delta.push_back(row_dots(*inputs.dout, outputs.out));
    }
    return facts;
}

/// Everything about one backward call that the tiles read.
struct Call {
    const RowFacts& facts;
    const Tensor4& dout;
};

/// Rows of one query tile as a left operand and, for dk and dv, as a right one.
struct RowOperands {
    RowOperands(int rows, int dim, const double* source, std::ptrdiff_t stride, bool for_keys)
        : left(tiles::left_size(rows, dim)) {
        const tiles::Kernels& kernels = tiles::best();
        kernels.pack_left(false, rows, dim, source, stride, left.data());
        if (!for_keys) return;
        right = AlignedBuffer(tiles::right_size(dim, rows));
        kernels.pack_right(false, dim, rows, source, stride, right.data(),
                           static_cast<std::ptrdiff_t>(rows) * kernels.right_panel);
    }
    AlignedBuffer left, right;
};

/// q of a tile rotated for one mode, times the softmax scale.
RowOperands query_operands(const SequenceContext& context, const QueryTile& tile, std::int64_t head, Mode mode,
                           bool for_keys) {
    std::vector<double> q(static_cast<std::size_t>(tile.rows()) * context.head_dim);
    rotated_queries(context, tile, head, mode, context.softmax_scale, q.data());
    return {tile.rows(), context.head_dim, q.data(), context.head_dim, for_keys};
}

RowOperands dout_operands(const SequenceContext& context, const Call& call, const QueryTile& tile, std::int64_t head,
                          bool for_keys) {
    const Sequence& seq = context.sequence;
    return {tile.rows(), context.head_dim_v, &call.dout(seq.batch, seq.query_begin + tile.row_begin, head, 0),
            call.dout.view().stride(1), for_keys};
}

/// p = weight exp(s - lse) and ds = p (dout . v - delta) of one block, rows x key_tile_columns each; masked elements
/// are 0. ds lacks the softmax scale, which is in the rotated queries and, for dq, is applied at the end.
struct BlockScores {
    explicit BlockScores(int rows)
        : padded_rows(static_cast<int>(round_up(rows, tiles::row_alignment))),
          p(static_cast<std::size_t>(padded_rows) * key_tile_columns),
          ds(static_cast<std::size_t>(padded_rows) * key_tile_columns) {}

    void compute(const SequenceContext& context, const Call& call, const KeyOperands& keys, const RowOperands& q,
                 const RowOperands& dout, const QueryTile& tile, std::int64_t head, const KeySpan& span,
                 const KeyBlock& block) {
        const tiles::Kernels& kernels = tiles::best();
        const int d = context.head_dim, dv = context.head_dim_v;
        kernels.multiply_packed(padded_rows, block.columns, d, q.left.data(),
                                KeyOperands::at_scores(keys.k_scores, block.base, d), KeyOperands::scores_stride(d),
                                p.data(), key_tile_columns, false);
        mask_scores(span, block, tile, p.data(), -HUGE_VAL);
        kernels.multiply_packed(padded_rows, block.columns, dv, dout.left.data(),
                                KeyOperands::at_scores(keys.v_scores, block.base, dv), KeyOperands::scores_stride(dv),
                                ds.data(), key_tile_columns, false);
        for (int r = 0; r < tile.rows(); ++r) {
            const std::int64_t row = context.sequence.query_begin + tile.row_begin + r;
            double* p_row = p.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
            double* ds_row = ds.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
            const auto fact = [&](const std::vector<Tensor3>& facts) {
                return RowFacts::at(facts, span.mode, context.sequence.batch, head, row);
            };
            kernels.exp_minus(p_row, block.columns, fact(call.facts.lse));
            if (!call.facts.weight.empty()) kernels.scale(p_row, block.columns, fact(call.facts.weight));
            const double delta = fact(call.facts.delta);
            for (int j = 0; j < block.columns; ++j) ds_row[j] = p_row[j] * (ds_row[j] - delta);
        }
    }

    int padded_rows;
    AlignedBuffer p, ds;
};

void dq_tile(const SequenceContext& context, const Call& call, const KeyOperands& keys, const QueryTile& tile,
             std::int64_t head, Tensor4& dq) {
    const tiles::Kernels& kernels = tiles::best();
    BlockScores scores(tile.rows());
    AlignedBuffer ds_left(tiles::left_size(tile.rows(), key_tile_columns));
    const RowOperands dout = dout_operands(context, call, tile, head, false);
    std::vector<double> angles(context.rotations.angles_size());
    for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        const RowOperands q = query_operands(context, tile, head, span.mode, false);
        AlignedBuffer rotated_dq(static_cast<std::size_t>(scores.padded_rows) * context.padded_dim);
        for (std::int64_t start = span.begin / key_tile_columns * key_tile_columns; start < span.end;
             start += key_tile_columns) {
            const KeyBlock block = key_block(span, start, tile.last_index());
            if (block.columns == 0) break;
            scores.compute(context, call, keys, q, dout, tile, head, span, block);
            kernels.pack_left(false, tile.rows(), block.columns, scores.ds.data(), key_tile_columns, ds_left.data());
            kernels.multiply_packed(scores.padded_rows, context.padded_dim, block.columns, ds_left.data(),
                                    KeyOperands::at_values(keys.k_values, block.base),
                                    KeyOperands::values_stride(context.padded_keys), rotated_dq.data(),
                                    context.padded_dim, true);
        }
        // Back from this mode's frame: R^T, times the softmax scale (Def.9).
        for (int r = 0; r < tile.rows(); ++r) {
            double* row = rotated_dq.data() + static_cast<std::ptrdiff_t>(r) * context.padded_dim;
            kernels.scale(row, context.head_dim, context.softmax_scale);
            const QueryIndex i(tile.first_index + r);
            context.rotations.query_angles(i, span.mode, angles.data());
            context.rotations.add_transposed_query(
                angles.data(), i, row,
                &dq(context.sequence.batch, context.sequence.query_begin + tile.row_begin + r, head, 0));
        }
    }
}

/// One query tile packed for one head, and the modes it sees keys in: met by every key tile.
struct PackedQuery {
    struct InMode {
        KeySpan span;
        RowOperands q;
    };
    QueryTile tile;
    RowOperands dout;
    std::vector<InMode> modes;
};

std::vector<PackedQuery> pack_queries(const SequenceContext& context, const Call& call,
                                      const std::vector<QueryTile>& tiles, std::int64_t head) {
    std::vector<std::optional<PackedQuery>> packed(tiles.size());
    const double work =
        10.0 * static_cast<double>(context.sequence.query_count()) * (context.head_dim + context.head_dim_v);
    parallel_for(static_cast<std::int64_t>(tiles.size()), work, [&](std::int64_t n) {
        const QueryTile& tile = tiles[static_cast<std::size_t>(n)];
        PackedQuery query{tile, dout_operands(context, call, tile, head, true), {}};
        for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
            query.modes.push_back({span, query_operands(context, tile, head, span.mode, true)});
        }
        packed[static_cast<std::size_t>(n)].emplace(std::move(query));
    });
    std::vector<PackedQuery> out;
    out.reserve(packed.size());
    for (auto& query : packed) out.push_back(std::move(*query));
    return out;
}

/// Adds one query head's share to the rotated dk and to dv of one key tile; rows of both are keys from `start` on.
void dkdv_tile(const SequenceContext& context, const Call& call, const KeyOperands& keys,
               const std::vector<PackedQuery>& queries, std::int64_t head, std::int64_t start, double* rotated_dk,
               double* dv_rows) {
    const tiles::Kernels& kernels = tiles::best();
    BlockScores scores(query_tile_rows);
    AlignedBuffer left(tiles::left_size(key_tile_columns, query_tile_rows));
    // A block that starts inside the key tile is padded past its end by less than row_alignment rows of zeros.
    constexpr std::size_t height = key_tile_columns + tiles::row_alignment;
    AlignedBuffer dk_block(height * context.padded_dim), dv_block(height * context.padded_dim_v);
    const auto add = [&](const AlignedBuffer& source, const AlignedBuffer& right, const KeyBlock& block, int rows,
                         AlignedBuffer& target, int dim) {
        kernels.pack_left(true, block.columns, rows, source.data(), key_tile_columns, left.data());
        kernels.multiply_packed(static_cast<int>(round_up(block.columns, tiles::row_alignment)), dim, rows, left.data(),
                                right.data(), static_cast<std::ptrdiff_t>(rows) * kernels.right_panel,
                                target.data() + (block.base - start) * dim, dim, true);
    };
    for (const PackedQuery& query : queries) {
        const int rows = query.tile.rows();
        for (const auto& [span, q] : query.modes) {
            if (span.end <= start || span.begin >= start + key_tile_columns) continue;
            const KeyBlock block = key_block(span, start, query.tile.last_index());
            if (block.columns == 0) continue;
            scores.padded_rows = static_cast<int>(round_up(rows, tiles::row_alignment));
            scores.compute(context, call, keys, q, query.dout, query.tile, head, span, block);
            add(scores.ds, q.right, block, rows, dk_block, context.padded_dim);
            add(scores.p, query.dout.right, block, rows, dv_block, context.padded_dim_v);
        }
    }
    const std::int64_t key_rows = std::min<std::int64_t>(key_tile_columns, context.key_count - start);
    for (std::int64_t j = 0; j < key_rows; ++j) {
        for (int e = 0; e < context.head_dim; ++e) {
            rotated_dk[j * context.head_dim + e] += dk_block.data()[j * context.padded_dim + e];
        }
        for (int c = 0; c < context.head_dim_v; ++c) {
            dv_rows[j * context.head_dim_v + c] += dv_block.data()[j * context.padded_dim_v + c];
        }
    }
}

/// dk and dv of one kv head: the sum over its query heads in ascending order, rotated back once.
void dkdv_head(const SequenceContext& context, const Call& call, const KeyOperands& keys,
               const std::vector<QueryTile>& tiles, std::int64_t kv_head, Gradients& gradients) {
    const int d = context.head_dim, dv = context.head_dim_v;
    const std::int64_t n = context.key_count, key_tiles = (n + key_tile_columns - 1) / key_tile_columns;
    std::vector<double> rotated_dk(static_cast<std::size_t>(n * d)), dv_rows(static_cast<std::size_t>(n * dv));
    for (std::int64_t head = kv_head * context.group; head < (kv_head + 1) * context.group; ++head) {
        const auto queries = pack_queries(context, call, tiles, head);
        parallel_for(key_tiles, 2 * context.head_work(), [&](std::int64_t tile) {
            const std::int64_t start = tile * key_tile_columns;
            dkdv_tile(context, call, keys, queries, head, start, &rotated_dk[static_cast<std::size_t>(start * d)],
                      &dv_rows[static_cast<std::size_t>(start * dv)]);
        });
    }
    std::vector<double> angles(context.rotations.angles_size());
    for (std::int64_t j = 0; j < n; ++j) {
        const std::int64_t key = context.sequence.key_begin + j;
        context.rotations.key_angles(KeyIndex(j), angles.data());
        // The softmax scale is already in the rotated queries that dk was summed from.
        context.rotations.add_transposed_key(angles.data(), KeyIndex(j), &rotated_dk[static_cast<std::size_t>(j * d)],
                                             &gradients.dk(context.sequence.batch, key, kv_head, 0));
        std::copy_n(&dv_rows[static_cast<std::size_t>(j * dv)], dv,
                    &gradients.dv(context.sequence.batch, key, kv_head, 0));
    }
}

}  // namespace

bool backward_needs_parts(const Problem& problem) {
    return gradient_rule(problem) == GradientRule::detached_merge || Merge(problem).rounds_weights();
}

namespace {

Gradients run(const Problem& problem, const Inputs& inputs, const RowFacts& facts) {
    const Call call{facts, *inputs.dout};
    Gradients gradients{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                        Tensor4(v_extents(problem.shape))};
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            const KeyOperands keys(context, kv_head, true);
            const double work = 1.5 * context.head_work() * static_cast<double>(context.group);
            parallel_for(static_cast<std::int64_t>(tiles.size()) * context.group, work, [&](std::int64_t item) {
                dq_tile(context, call, keys, tiles[static_cast<std::size_t>(item / context.group)],
                        kv_head * context.group + item % context.group, gradients.dq);
            });
            dkdv_head(context, call, keys, tiles, kv_head, gradients);
        }
    }
    return gradients;
}

}  // namespace

Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                   std::optional<GradientRule> rule, const Parts* parts) {
    require_computable(problem, inputs);
    expects(inputs.dout.has_value(), "backward: inputs.dout is needed");
    expects(outputs.out.extents() == out_extents(problem.shape) && outputs.lse.extents() == lse_extents(problem.shape),
            "backward: outputs of another problem");
    return run(problem, inputs, make_row_facts(problem, inputs, outputs, rule.value_or(gradient_rule(problem)), parts));
}

Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs, const Parts& parts,
                   const MergeWeights& weights) {
    require_computable(problem, inputs);
    expects(inputs.dout.has_value(), "backward: inputs.dout is needed");
    return run(problem, inputs, weighted_facts(inputs, outputs, parts, weights, gradient_rule(problem)));
}

}  // namespace dca::reference
