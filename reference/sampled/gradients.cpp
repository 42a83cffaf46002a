#include "reference/sampled/gradients.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::sampled {
namespace {

std::size_t size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// A product's right operand: rows x dim.
AlignedBuffer right_operand(int rows, int dim, const double* source, std::ptrdiff_t stride) {
    const tiles::Kernels& kernels = tiles::best();
    AlignedBuffer packed(tiles::right_size(dim, rows));
    kernels.pack_right(false, dim, rows, source, stride, packed.data(),
                       static_cast<std::ptrdiff_t>(rows) * kernels.right_panel);
    return packed;
}

}  // namespace

/// dk in the rotated frame and dv of one unit; rows are keys. A tile is padded past its end by less than row_alignment.
struct Gradients::KeySums {
    KeySums(const SequenceContext& context, int keys)
        : dim(context.padded_dim),
          dim_v(context.padded_dim_v),
          dk(size(keys + tiles::row_alignment) * size(dim)),
          dv(size(keys + tiles::row_alignment) * size(dim_v)),
          dk_bound(size(keys)),
          dv_bound(size(keys)),
          left(tiles::left_size(key_tile_columns, row_tile_rows)) {}

    /// target (keys x dim) += source^T (rows x keys) times right (rows x dim).
    void add(const AlignedBuffer& source, int rows, int keys, const AlignedBuffer& right, double* target, int width) {
        const tiles::Kernels& kernels = tiles::best();
        kernels.pack_left(true, keys, rows, source.data(), key_tile_columns, left.data());
        kernels.multiply_packed(static_cast<int>(round_up(keys, tiles::row_alignment)), width, rows, left.data(),
                                right.data(), static_cast<std::ptrdiff_t>(rows) * kernels.right_panel, target, width,
                                true);
    }

    int dim, dim_v;
    AlignedBuffer dk, dv;
    std::vector<double> dk_bound, dv_bound;  ///< of every key: sum of p times the bounds of the row
    AlignedBuffer left;
};

Gradients::Gradients(const SequenceContext& context, const Rows& rows, const Outputs& outputs, const RowBounds& bounds)
    : context_(context), rows_(rows), outputs_(outputs), bounds_(bounds) {
    const std::int64_t heads = context.problem.shape.heads_q, samples = rows.count();
    for (std::int64_t head = 0; head < heads; ++head) {
        for (std::int64_t r = 0; r < samples; ++r) {
            __float128 sum = 0;
            for (int c = 0; c < context.head_dim_v; ++c) {
                sum += static_cast<__float128>((*context.inputs.dout)(0, r, head, c)) * outputs.out(0, r, head, c);
            }
            delta_.push_back(static_cast<double>(sum));
        }
    }
    turned_dq_.fill(LongSums(size(heads * samples) * size(context.head_dim)));
}

void Gradients::attend(const UnitKeys& keys, const Unit& unit, const RowTile& tile, std::int64_t head, double* dq_rows,
                       KeySums& sums) const {
    const tiles::Kernels& kernels = tiles::best();
    const int d = context_.head_dim, dv = context_.head_dim_v, n = tile.count, padded = tile.padded();
    const double* dout = &(*context_.inputs.dout)(0, tile.begin, head, 0);
    const std::ptrdiff_t dout_stride = context_.inputs.dout->view().stride(1);
    std::vector<double> queries(size(n) * size(d));
    rows_.turned_queries(tile, head, unit, queries.data());
    AlignedBuffer q_left(tiles::left_size(n, d)), dout_left(tiles::left_size(n, dv)),
        p(size(padded) * key_tile_columns), ds(size(padded) * key_tile_columns),
        ds_left(tiles::left_size(n, key_tile_columns)), dq(size(padded) * size(context_.padded_dim));
    kernels.pack_left(false, n, d, queries.data(), d, q_left.data());
    kernels.pack_left(false, n, dv, dout, dout_stride, dout_left.data());
    const AlignedBuffer q_right = right_operand(n, d, queries.data(), d);
    const AlignedBuffer dout_right = right_operand(n, dv, dout, dout_stride);
    for (const UnitKeys::Tile& key_tile : keys.tiles()) {
        keys.times_keys(key_tile, padded, q_left.data(), p.data());
        keys.times_values(key_tile, padded, dout_left.data(), ds.data());
        for (int r = 0; r < n; ++r) {
            double* p_row = p.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
            double* ds_row = ds.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
            const int seen = rows_.visible(tile.begin + r, key_tile.first, key_tile.keys);
            if (seen > 0) kernels.exp_minus(p_row, seen, outputs_.lse(0, head, tile.begin + r));
            std::fill(p_row + seen, p_row + key_tile.keys, 0.0);
            const double delta = delta_[size(head * rows_.count() + tile.begin + r)];
            const RowBounds::Weights weights = bounds_.weights(head, tile.begin + r);
            double* dk_bound = &sums.dk_bound[size(key_tile.first - unit.begin)];
            double* dv_bound = &sums.dv_bound[size(key_tile.first - unit.begin)];
            for (int j = 0; j < seen; ++j) {
                dk_bound[j] += p_row[j] * weights.dk;
                dv_bound[j] += p_row[j] * weights.dv;
            }
            for (int j = 0; j < key_tile.keys; ++j) ds_row[j] = p_row[j] * (ds_row[j] - delta);
        }
        kernels.pack_left(false, n, key_tile.keys, ds.data(), key_tile_columns, ds_left.data());
        keys.add_sum_of_keys(key_tile, padded, ds_left.data(), dq.data());
        const std::int64_t at = key_tile.first - unit.begin;
        sums.add(ds, n, key_tile.keys, q_right, sums.dk.data() + at * sums.dim, sums.dim);
        sums.add(p, n, key_tile.keys, dout_right, sums.dv.data() + at * sums.dim_v, sums.dim_v);
    }
    for (int r = 0; r < n; ++r) {
        std::copy_n(dq.data() + static_cast<std::ptrdiff_t>(r) * context_.padded_dim, d, dq_rows + r * d);
    }
}

void Gradients::compute(const Slice& slice, const Unit& unit, std::int64_t kv_head, Part& part, std::span<double> dk,
                        std::span<double> dv) const {
    const int d = context_.head_dim;
    const std::int64_t samples = rows_.count();
    part.dq.assign(size(context_.group * samples) * size(d), 0.0);
    KeySums sums(context_, unit.keys());
    if (!rows_.tiles().empty() && rows_.meets(rows_.tiles().back(), unit)) {
        const UnitKeys keys(context_, kv_head, unit, true);
        for (std::int64_t g = 0; g < context_.group; ++g) {
            for (const RowTile& tile : rows_.tiles()) {
                if (!rows_.meets(tile, unit)) continue;
                attend(keys, unit, tile, kv_head * context_.group + g,
                       &part.dq[size(g * samples + tile.begin) * size(d)], sums);
            }
        }
    }
    part.bounds = {*std::max_element(sums.dk_bound.begin(), sums.dk_bound.end()),
                   *std::max_element(sums.dv_bound.begin(), sums.dv_bound.end())};
    std::vector<double> angles(context_.rotations.angles_size());
    const std::int64_t heads = context_.problem.shape.heads_kv;
    for (int j = 0; j < unit.keys(); ++j) {
        const KeyIndex key(unit.begin + j);
        const std::size_t row = size((key.value() - slice.begin()) * heads + kv_head);
        context_.rotations.key_angles(key, angles.data());
        // The softmax scale is already in the turned queries.
        double* dk_row = &dk[row * size(d)];
        std::fill_n(dk_row, d, 0.0);
        context_.rotations.add_transposed_key(angles.data(), key, sums.dk.data() + std::ptrdiff_t{j} * sums.dim,
                                              dk_row);
        std::copy_n(sums.dv.data() + std::ptrdiff_t{j} * sums.dim_v, context_.head_dim_v,
                    &dv[row * size(context_.head_dim_v)]);
    }
}

void Gradients::add(const Slice& slice, std::span<double> dk, std::span<double> dv) {
    const std::int64_t units = static_cast<std::int64_t>(slice.units.size()),
                       kv_heads = context_.problem.shape.heads_kv;
    const std::int64_t samples = rows_.count(), group_rows = context_.group * samples;
    const std::size_t d = size(context_.head_dim);
    std::vector<Part> parts(size(units * kv_heads));
    const double work = 2.5 * static_cast<double>(slice.end() - slice.begin()) *
                        static_cast<double>(kv_heads * group_rows) * (context_.head_dim + context_.head_dim_v);
    parallel_for(units * kv_heads, work, [&](std::int64_t item) {
        compute(slice, slice.units[size(item / kv_heads)], item % kv_heads, parts[size(item)], dk, dv);
    });
    parallel_for(kv_heads * group_rows, static_cast<double>(units * kv_heads * group_rows * context_.head_dim),
                 [&](std::int64_t row) {
                     const std::int64_t kv_head = row / group_rows;
                     for (std::int64_t unit = 0; unit < units; ++unit) {
                         const auto mode = rows_.mode(static_cast<int>(row % samples), slice.units[size(unit)]);
                         if (!mode) continue;
                         const Part& part = parts[size(unit * kv_heads + kv_head)];
                         LongSums& sums = turned_dq_[static_cast<std::size_t>(*mode)];
                         for (std::size_t e = 0; e < d; ++e) {
                             sums.add(size(row) * d + e, part.dq[size(row % group_rows) * d + e]);
                         }
                     }
                 });
    for (const Part& part : parts) {
        column_bounds_ = {std::max(column_bounds_.dk, part.bounds.dk), std::max(column_bounds_.dv, part.bounds.dv)};
    }
}

void Gradients::finish(Tensor4& dq) const {
    const std::size_t d = size(context_.head_dim);
    std::vector<double> angles(context_.rotations.angles_size()), row(d);
    for (const QueryTile& tile : rows_.chunk_tiles()) {
        for (const KeySpan& span : key_spans(context_.problem.chunk, tile.chunk, context_.key_count)) {
            // Back from this mode's frame: R^T, times the softmax scale (Def.9).
            const LongSums& sums = turned_dq_[static_cast<std::size_t>(span.mode)];
            for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
                const QueryIndex i(rows_.index(static_cast<int>(r)));
                context_.rotations.query_angles(i, span.mode, angles.data());
                for (std::int64_t head = 0; head < context_.problem.shape.heads_q; ++head) {
                    for (std::size_t e = 0; e < d; ++e) {
                        row[e] = sums.value(size(head * rows_.count() + r) * d + e) * context_.softmax_scale;
                    }
                    context_.rotations.add_transposed_query(angles.data(), i, row.data(), &dq(0, r, head, 0));
                }
            }
        }
    }
}

}  // namespace dca::reference::sampled
