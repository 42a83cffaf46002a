// Two passes, so that every element has one writer: dq tile by tile over queries, dk and dv tile by tile over keys.
#include "reference/certified/backward.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "reference/certified/block_scores.hpp"
#include "reference/math/parallel.hpp"

namespace dca::certified {

void backward_queries(const Context& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
                      HeadFacts& facts, Bounded<4>& dq) {
    const int rows = tile.rows(), padded = tile.padded_rows(), dim = context.padded_dim;
    BlockScores scores(rows);
    Buffer ds_left(static_cast<std::int64_t>(left_size(rows, key_tile_columns)));
    Buffer sum(static_cast<std::int64_t>(rows) * dim);
    const DoutOperands dout(context, tile, head, false);
    std::vector<double> bias(static_cast<std::size_t>(padded), Bias(0).value);
    std::vector<double> products(static_cast<std::size_t>(rows));  // error of the products, in units of key_bias
    std::vector<double> total(static_cast<std::size_t>(rows));     // sum_j |dS_ij|
    for (const KeySpan& span : reference::key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        const QueryOperands q(context, tile, head, span.mode, false);
        Buffer rotated(static_cast<std::int64_t>(padded) * dim);
        for (std::int64_t start = span.begin / key_tile_columns * key_tile_columns; start < span.end;
             start += key_tile_columns) {
            const KeyBlock block = key_block(span, start, tile.last_index());
            if (block.columns == 0) break;
            scores.compute(context, keys, q, dout, tile, span, block, facts);
            for (std::size_t r = 0; r < products.size(); ++r) {
                const Bias row_bias(scores.total[r] * inflation);
                bias[r] = row_bias.value;
                total[r] += scores.total[r];
                if (scores.total[r] > 0) products[r] += product_error(block.columns, 2) * row_bias.power;
            }
            kernels().pack_left(false, rows, block.columns, scores.ds.hi.data(), key_tile_columns, ds_left.hi.data());
            kernels().pack_left(false, rows, block.columns, scores.ds.lo.data(), key_tile_columns, ds_left.lo.data());
            const std::ptrdiff_t panel = block.base * kernels().right_panel;
            kernels().multiply({.m = padded,
                                .n = dim,
                                .k = block.columns,
                                .left = ds_left.hi.data(),
                                .left_lo = ds_left.lo.data(),
                                .right = keys.k_values.hi.data() + panel,
                                .right_lo = keys.k_values.lo.data() + panel,
                                .right_stride = KeyOperands::values_stride(context.padded_keys),
                                .row_bias = bias.data(),
                                .column_bias = keys.key_bias.data(),
                                .hi = rotated.hi.data(),
                                .lo = rotated.lo.data(),
                                .ld = dim,
                                .accumulate = true});
        }
        for (int r = 0; r < rows; ++r) {
            const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * dim;
            context.rotate_back(context.query_position(tile.first_index + r, span.mode), rotated.hi.data() + at,
                                rotated.lo.data() + at);
            kernels().add(sum.hi.data() + at, sum.lo.data() + at, rotated.hi.data() + at, rotated.lo.data() + at, dim);
        }
    }
    const Sequence& seq = context.sequence;
    const double keys_seen = static_cast<double>(context.key_count);
    const double adds = 3.0 + 3.0 * keys_seen / key_tile_columns;
    const double tau = std::abs(context.softmax_scale);
    for (int r = 0; r < rows; ++r) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * dim;
        const std::int64_t query = seq.query_begin + tile.row_begin + r;
        RowFacts& row = facts[static_cast<std::size_t>(tile.row_begin + r)];
        kernels().scale(sum.hi.data() + at, sum.lo.data() + at, dim, context.softmax_scale, 0);
        std::copy_n(sum.hi.data() + at, context.dim, &dq.hi(seq.batch, query, head, 0));
        std::copy_n(sum.lo.data() + at, context.dim, &dq.lo(seq.batch, query, head, 0));
        if (row.one_key || row.dp_largest == 0) continue;
        // The computed sum of |dS| stands for the exact one: their difference is far below 2^-20 of the largest dP.
        const double magnitude = (total[static_cast<std::size_t>(r)] + 0x1p-20 * row.dp_largest) * inflation;
        row.difference_error = (row.difference_error + row.weight_error * magnitude) * inflation;
        if (tau == 0) continue;
        const double sums = (row.p_error + 2 * rotation_error + 4 * u2 * adds) * magnitude + row.difference_error +
                            2 * keys_seen * cut_probability * row.dp_largest;
        double* radius = &dq.radius(seq.batch, query, head, 0);
        for (std::size_t e = 0; e < static_cast<std::size_t>(context.dim); ++e) {
            const double key = keys.key_magnitude[e];
            if (key == 0) continue;  // keys without this pair: no gradient in it
            radius[e] = tau * context.mscale_bound * inflation *
                            (key * sums + 1.5 * products[static_cast<std::size_t>(r)] * keys.key_bias[e]) +
                        keys_seen * underflow * (1 + key) * (1 + tau) * context.mscale_bound;
        }
    }
}

namespace {

/// One query tile packed for one head, and the modes it sees keys in: met by every key tile.
struct PackedQuery {
    struct InMode {
        KeySpan span;
        QueryOperands q;
    };
    QueryTile tile;
    DoutOperands dout;
    std::vector<InMode> modes;
};

std::vector<std::optional<PackedQuery>> pack_queries(const Context& context, const std::vector<QueryTile>& tiles,
                                                     std::int64_t head) {
    std::vector<std::optional<PackedQuery>> packed(tiles.size());
    const double work = 100.0 * static_cast<double>(context.sequence.query_count()) * (context.dim + context.dim_v);
    reference::parallel_for(static_cast<std::int64_t>(tiles.size()), work, [&](std::int64_t n) {
        const QueryTile& tile = tiles[static_cast<std::size_t>(n)];
        PackedQuery query{tile, DoutOperands(context, tile, head, true), {}};
        for (const KeySpan& span : reference::key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
            query.modes.push_back({span, QueryOperands(context, tile, head, span.mode, true)});
        }
        packed[static_cast<std::size_t>(n)].emplace(std::move(query));
    });
    return packed;
}

/// The sums of one kv head over the query heads of its group, and their errors. Rows are keys.
struct KeySums {
    KeySums(const Context& context)
        : dk(context.padded_keys * context.padded_dim),
          dv(context.padded_keys * context.padded_dim_v),
          ds_error(static_cast<std::size_t>(context.padded_keys)),
          p_error(ds_error.size()),
          dk_products(ds_error.size()),
          dv_products(ds_error.size()),
          q_magnitude(static_cast<std::size_t>(context.padded_dim)) {}
    Buffer dk, dv;                    ///< rotated dk
    std::vector<double> ds_error;     ///< sum_i of the error of dS_ij
    std::vector<double> p_error;      ///< sum_i of the error of p_ij
    std::vector<double> dk_products;  ///< error of the products in units of max_e q.bias
    std::vector<double> dv_products;  ///< the same in units of dout_bias
    std::vector<double> q_magnitude;  ///< largest pair magnitude of q~ in each channel, over all rows and modes
};

/// What is the same for all tiles of one kv head.
struct KeyPass {
    const Context& context;
    const KeyOperands& keys;
    std::vector<double> dout_magnitude, dout_bias;  ///< max |dO_ic| of the group's rows, and powers of two, padded
    double adds;                                    ///< double-double additions an element takes part in
};

/// Adds what the rows of one query tile give to the keys of one block.
void add_block(const KeyPass& pass, const PackedQuery& query, const QueryOperands& q, const KeyBlock& block,
               const HeadFacts& facts, const BlockScores& scores, Buffer& left, KeySums& sums) {
    const int rows = query.tile.rows(), columns = block.columns;
    const auto base = static_cast<std::size_t>(block.base);
    std::vector<double> p_sum(static_cast<std::size_t>(columns)), ds_sum(p_sum.size());
    std::vector<double> dk_bias(p_sum.size()), dv_bias(p_sum.size());
    for (int r = 0; r < rows; ++r) {
        const RowFacts& row = facts[static_cast<std::size_t>(query.tile.row_begin + r)];
        const double* p = scores.p.hi.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
        const double* ds = scores.ds.hi.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
        kernels().add_columns(p, columns, 1, p_sum.data());
        kernels().add_columns(ds, columns, 1, ds_sum.data());
        kernels().add_columns(p, columns, row.p_error + 4 * u2 * pass.adds, sums.p_error.data() + base);
        if (row.one_key) continue;
        kernels().add_columns(ds, columns, row.p_error + 2 * rotation_error + 4 * u2 * pass.adds,
                              sums.ds_error.data() + base);
        kernels().add_columns(p, columns, row.difference_error, sums.ds_error.data() + base);
    }
    for (std::size_t j = 0; j < p_sum.size(); ++j) {
        const Bias p_bias(p_sum[j] * inflation), ds_bias(ds_sum[j] * inflation);
        dv_bias[j] = p_bias.value;
        dk_bias[j] = ds_bias.value;
        if (p_sum[j] > 0) sums.dv_products[base + j] += product_error(rows, 1) * p_bias.power;
        if (ds_sum[j] > 0) sums.dk_products[base + j] += product_error(rows, 2) * ds_bias.power;
    }
    const auto add = [&](const Buffer& source, const double* right, const double* right_lo, const double* row_bias,
                         const double* column_bias, Buffer& target, int dim) {
        kernels().pack_left(true, columns, rows, source.hi.data(), key_tile_columns, left.hi.data());
        kernels().pack_left(true, columns, rows, source.lo.data(), key_tile_columns, left.lo.data());
        kernels().multiply({.m = columns,
                            .n = dim,
                            .k = rows,
                            .left = left.hi.data(),
                            .left_lo = left.lo.data(),
                            .right = right,
                            .right_lo = right_lo,
                            .right_stride = static_cast<std::ptrdiff_t>(rows) * kernels().right_panel,
                            .row_bias = row_bias,
                            .column_bias = column_bias,
                            .hi = target.hi.data() + block.base * dim,
                            .lo = target.lo.data() + block.base * dim,
                            .ld = dim,
                            .accumulate = true});
    };
    add(scores.ds, q.right.hi.data(), q.right.lo.data(), dk_bias.data(), q.bias.data(), sums.dk,
        pass.context.padded_dim);
    add(scores.p, query.dout.right.data(), nullptr, dv_bias.data(), pass.dout_bias.data(), sums.dv,
        pass.context.padded_dim_v);
}

KeyPass key_pass(const Context& context, const KeyOperands& keys, std::size_t tiles, std::int64_t kv_head) {
    KeyPass pass{context, keys, std::vector<double>(static_cast<std::size_t>(context.padded_dim_v)), {}, 0};
    const Sequence& seq = context.sequence;
    for (std::int64_t row = 0; row < seq.query_count(); ++row) {
        for (std::int64_t head = kv_head * context.group; head < (kv_head + 1) * context.group; ++head) {
            const double* dout = &(*context.inputs.dout)(seq.batch, seq.query_begin + row, head, 0);
            for (int c = 0; c < context.dim_v; ++c) {
                double& most = pass.dout_magnitude[static_cast<std::size_t>(c)];
                most = std::max(most, std::abs(dout[c]));
            }
        }
    }
    pass.dout_bias.resize(pass.dout_magnitude.size());
    std::transform(pass.dout_magnitude.begin(), pass.dout_magnitude.end(), pass.dout_bias.begin(), power_at_least);
    pass.adds = 3 + 3 * static_cast<double>(tiles) * static_cast<double>(context.group);
    return pass;
}

}  // namespace

void backward_keys(const Context& context, const KeyOperands& keys, const std::vector<QueryTile>& tiles,
                   std::int64_t kv_head, const std::vector<HeadFacts>& facts, Bounded<4>& dk, Bounded<4>& dv) {
    const KeyPass pass = key_pass(context, keys, tiles.size(), kv_head);
    KeySums sums(context);
    double dp_largest = 0;
    for (std::int64_t head = 0; head < context.group; ++head) {
        const HeadFacts& head_facts = facts[static_cast<std::size_t>(head)];
        const auto queries = pack_queries(context, tiles, kv_head * context.group + head);
        for (const auto& query : queries) {
            for (const auto& in_mode : query->modes) {
                for (std::size_t e = 0; e < sums.q_magnitude.size(); ++e) {
                    sums.q_magnitude[e] = std::max(sums.q_magnitude[e], in_mode.q.magnitude[e]);
                }
            }
        }
        for (const RowFacts& row : head_facts) dp_largest = std::max(dp_largest, row.dp_largest);
        reference::parallel_for(context.padded_keys / key_tile_columns, 2 * context.head_work(), [&](std::int64_t n) {
            const std::int64_t start = n * key_tile_columns;
            BlockScores scores(query_tile_rows);
            Buffer left(static_cast<std::int64_t>(left_size(key_tile_columns, query_tile_rows)));
            for (const auto& query : queries) {
                for (const auto& [span, q] : query->modes) {
                    if (span.end <= start || span.begin >= start + key_tile_columns) continue;
                    const KeyBlock block = key_block(span, start, query->tile.last_index());
                    if (block.columns == 0) continue;
                    scores.compute(context, keys, q, query->dout, query->tile, span, block, head_facts);
                    add_block(pass, *query, q, block, head_facts, scores, left, sums);
                }
            }
        });
    }
    const Sequence& seq = context.sequence;
    const double rows = static_cast<double>(seq.query_count() * context.group);
    for (std::int64_t j = 0; j < context.key_count; ++j) {
        const auto at = static_cast<std::size_t>(j);
        const std::int64_t key = seq.key_begin + j;
        double* hi = sums.dk.hi.data() + j * context.padded_dim;
        double* lo = sums.dk.lo.data() + j * context.padded_dim;
        context.rotate_back(context.key_position(j), hi, lo);
        std::copy_n(hi, context.dim, &dk.hi(seq.batch, key, kv_head, 0));
        std::copy_n(lo, context.dim, &dk.lo(seq.batch, key, kv_head, 0));
        std::copy_n(sums.dv.hi.data() + j * context.padded_dim_v, context.dim_v, &dv.hi(seq.batch, key, kv_head, 0));
        std::copy_n(sums.dv.lo.data() + j * context.padded_dim_v, context.dim_v, &dv.lo(seq.batch, key, kv_head, 0));
        const bool seen = j < seq.offset + seq.query_count();  // a key that no row sees has zero gradients
        double* dk_radius = &dk.radius(seq.batch, key, kv_head, 0);
        for (std::size_t e = 0; e < static_cast<std::size_t>(context.dim); ++e) {
            const double magnitude = sums.q_magnitude[e];
            if (!seen || magnitude == 0 || dp_largest == 0) continue;
            // The bias of a channel is a power of two, at most twice its magnitude or 2^-450.
            const double bias = power_at_least(magnitude);
            dk_radius[e] = context.mscale_bound * inflation *
                               (magnitude * (sums.ds_error[at] + 2 * rows * cut_probability * dp_largest) +
                                1.5 * sums.dk_products[at] * bias) +
                           rows * underflow * (1 + magnitude) * context.mscale_bound;
        }
        double* dv_radius = &dv.radius(seq.batch, key, kv_head, 0);
        for (int c = 0; c < context.dim_v; ++c) {
            const double magnitude = pass.dout_magnitude[static_cast<std::size_t>(c)];
            if (!seen || magnitude == 0) continue;
            dv_radius[c] = inflation * (magnitude * (sums.p_error[at] + rows * cut_probability) +
                                        sums.dv_products[at] * pass.dout_bias[static_cast<std::size_t>(c)]) +
                           rows * underflow;
        }
    }
}

}  // namespace dca::certified
