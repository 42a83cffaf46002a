#include "reference/operands.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"
#include "reference/refusals.hpp"

namespace dca::reference {
SequenceContext::SequenceContext(const Problem& p, const Inputs& in, const Sequence& s)
    : problem(p),
      inputs(in),
      sequence(s),
      rotations(p, s),
      softmax_scale(p.resolved_softmax_scale()),
      head_dim(static_cast<int>(p.shape.head_dim)),
      head_dim_v(static_cast<int>(p.shape.head_dim_v)),
      padded_dim(static_cast<int>(round_up(head_dim, tiles::column_alignment))),
      padded_dim_v(static_cast<int>(round_up(head_dim_v, tiles::column_alignment))),
      group(p.shape.heads_q / p.shape.heads_kv),
      key_count(s.key_count()),
      padded_keys(round_up(s.key_count(), tiles::column_alignment)) {}

double SequenceContext::head_work() const {
    return static_cast<double>(sequence.query_count()) * static_cast<double>(key_count) * (head_dim + head_dim_v);
}

const double* SequenceContext::q_row(std::int64_t row, std::int64_t head) const {
    return &inputs.q(sequence.batch, sequence.query_begin + row, head, 0);
}
const double* SequenceContext::k_row(std::int64_t key, std::int64_t kv_head) const {
    return &inputs.k(sequence.batch, sequence.key_begin + key - first_stored_key, kv_head, 0);
}
const double* SequenceContext::v_row(std::int64_t key, std::int64_t kv_head) const {
    return &inputs.v(sequence.batch, sequence.key_begin + key - first_stored_key, kv_head, 0);
}

std::vector<QueryTile> query_tiles(const ChunkConfig& chunk, const Sequence& sequence) {
    std::vector<QueryTile> tiles;
    std::int64_t row = std::max<std::int64_t>(0, -sequence.offset);
    while (row < sequence.query_count()) {
        const std::int64_t index = sequence.offset + row;
        const std::int64_t c = index / chunk.chunk_len();
        const std::int64_t rows_left_in_chunk = (c + 1) * chunk.chunk_len() - index;
        const std::int64_t rows =
            std::min({std::int64_t{query_tile_rows}, rows_left_in_chunk, sequence.query_count() - row});
        tiles.push_back({row, row + rows, index, ChunkIndex(c)});
        row += rows;
    }
    std::reverse(tiles.begin(), tiles.end());
    return tiles;
}

KeyBlock key_block(const KeySpan& span, std::int64_t tile, int width, std::int64_t last_index) {
    const std::int64_t first = std::max(span.begin, tile);
    std::int64_t last = std::min(span.end, tile + width);
    if (span.mode == Mode::intra) last = std::min(last, last_index + 1);
    if (first >= last) return {first, first, first, 0};
    const std::int64_t base = first / tiles::column_alignment * tiles::column_alignment;
    return {first, last, base, static_cast<int>(round_up(last - base, tiles::column_alignment))};
}

void rotated_queries(const SequenceContext& context, const QueryTile& tile, std::int64_t head, Mode mode, double factor,
                     double* out) {
    std::vector<double> angles(context.rotations.angles_size());
    for (int r = 0; r < tile.rows(); ++r) {
        double* row = out + static_cast<std::ptrdiff_t>(r) * context.head_dim;
        const QueryIndex i(tile.index(r));
        if (r == 0 || !context.rotations.same_for_all_queries(mode)) {
            context.rotations.query_angles(i, mode, angles.data());
        }
        context.rotations.rotate_query(angles.data(), i, context.q_row(tile.row_begin + r, head), row);
        for (int e = 0; e < context.head_dim; ++e) row[e] *= factor;
    }
}

KeyOperands::KeyOperands(const SequenceContext& context, std::int64_t kv_head, bool for_backward)
    : k_scores(static_cast<std::size_t>(context.padded_keys) * context.head_dim),
      v_values(static_cast<std::size_t>(context.padded_keys) * context.padded_dim_v) {
    if (for_backward) {
        v_scores = AlignedBuffer(static_cast<std::size_t>(context.padded_keys) * context.head_dim_v);
        k_values = AlignedBuffer(static_cast<std::size_t>(context.padded_keys) * context.padded_dim);
    }
    const tiles::Kernels& kernels = tiles::best();
    const int d = context.head_dim, dv = context.head_dim_v;
    const std::int64_t tile_count = (context.key_count + key_tile_columns - 1) / key_tile_columns;
    // Rotating and packing moves each channel about ten times.
    const double work = 10.0 * static_cast<double>(context.key_count) * (d + dv);
    parallel_for(tile_count, work, [&](std::int64_t tile) {
        const std::int64_t first = tile * key_tile_columns;
        const int keys = static_cast<int>(std::min<std::int64_t>(key_tile_columns, context.key_count - first));
        std::vector<double> rotated(static_cast<std::size_t>(keys) * d), angles(context.rotations.angles_size());
        for (int j = 0; j < keys; ++j) {
            const KeyIndex key(first + j);
            context.rotations.key_angles(key, angles.data());
            context.rotations.rotate_key(angles.data(), key, context.k_row(key.value(), kv_head),
                                         &rotated[static_cast<std::size_t>(j) * d]);
        }
        const double* v = context.v_row(first, kv_head);
        const std::ptrdiff_t v_stride = context.inputs.v.view().stride(1);
        const std::ptrdiff_t values = values_stride(context.padded_keys);
        kernels.pack_right(true, keys, d, rotated.data(), d, k_scores.data() + first * d, scores_stride(d));
        kernels.pack_right(false, dv, keys, v, v_stride, v_values.data() + first * kernels.right_panel, values);
        if (for_backward) {
            kernels.pack_right(true, keys, dv, v, v_stride, v_scores.data() + first * dv, scores_stride(dv));
            kernels.pack_right(false, d, keys, rotated.data(), d, k_values.data() + first * kernels.right_panel,
                               values);
        }
    });
}

void require_computable(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    require_reproducible(problem);
    require_dense(problem);
}

}  // namespace dca::reference
