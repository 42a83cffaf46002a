// How one head of one sequence is laid out for the tile kernels: query tiles that never cross a chunk border, keys
// rotated once and packed into panels. Shared by forward, partial and backward.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "reference/math/aligned_buffer.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/math/rotations.hpp"
#include "reference/spec/bundles.hpp"
#include "reference/tiles/tiles.hpp"

namespace dca::reference {

/// Rows of a query tile at most, and keys of a key tile: the tile operands stay near a 1 MiB second-level cache.
inline constexpr int query_tile_rows = 192;
inline constexpr int key_tile_columns = 128;  ///< of the error scales
/// Keys of a key tile of the forward and the backward pass: the sums over one tile are formed apart. Multiples of both
/// alignments, so that full tiles have no padding.
inline constexpr int forward_tile_columns = 192;
inline constexpr int gradient_tile_columns = 144;

/// The smallest multiple of `step` that is at least n.
[[nodiscard]] constexpr std::int64_t round_up(std::int64_t n, std::int64_t step) {
    return (n + step - 1) / step * step;
}

/// What every tile of one sequence needs: the problem, the tensors, the sequence, its rotations.
struct SequenceContext {
    SequenceContext(const Problem& problem, const Inputs& inputs, const Sequence& sequence);

    const Problem& problem;
    const Inputs& inputs;
    Sequence sequence;
    Rotations rotations;
    double softmax_scale;
    int head_dim, head_dim_v;
    int padded_dim, padded_dim_v;  ///< rounded up to tiles::column_alignment
    std::int64_t group;            ///< query heads per key head
    std::int64_t key_count, padded_keys;
    /// The key that inputs.k and inputs.v begin with: 0 unless they hold a slice of the keys.
    std::int64_t first_stored_key = 0;

    /// Multiply-adds of one forward pass of one head, at most: what parallel_for wants to know.
    [[nodiscard]] double head_work() const;
    [[nodiscard]] const double* q_row(std::int64_t row, std::int64_t head) const;
    [[nodiscard]] const double* k_row(std::int64_t key, std::int64_t kv_head) const;
    [[nodiscard]] const double* v_row(std::int64_t key, std::int64_t kv_head) const;
};

/// Rows [row_begin, row_end) of the sequence, all in one chunk; row_begin has absolute index first_index >= 0. Sampled
/// rows do not follow one another: indices has the absolute index of each, ascending.
struct QueryTile {
    std::int64_t row_begin, row_end;
    std::int64_t first_index;
    ChunkIndex chunk;
    const std::int64_t* indices = nullptr;
    [[nodiscard]] int rows() const { return static_cast<int>(row_end - row_begin); }
    [[nodiscard]] std::int64_t index(int r) const { return indices ? indices[r] : first_index + r; }
    [[nodiscard]] std::int64_t last_index() const { return index(rows() - 1); }
};

/// Tiles of every row that can see a key, in descending order of rows: the heaviest first.
[[nodiscard]] std::vector<QueryTile> query_tiles(const ChunkConfig& chunk, const Sequence& sequence);

/// The part of a key span that one query tile meets inside one key tile. Columns [first, last) are keys of the span;
/// the products are formed on [base, base + columns), which starts on a panel border.
struct KeyBlock {
    std::int64_t first, last;
    std::int64_t base;
    int columns;
};

/// The block of `span` in the key tile of `width` keys that starts at `tile`, for queries up to last_index; columns 0
/// if there is none.
[[nodiscard]] KeyBlock key_block(const KeySpan& span, std::int64_t tile, int width, std::int64_t last_index);

/// q rows of a tile rotated for one mode and multiplied by `factor`: rows x head_dim.
void rotated_queries(const SequenceContext& context, const QueryTile& tile, std::int64_t head, Mode mode, double factor,
                     double* out);

/// The keys and values of one kv head as right operands. `scores`: columns are keys (for q k^T and dout v^T);
/// `values`: columns are channels (for p v and ds k).
struct KeyOperands {
    KeyOperands(const SequenceContext& context, std::int64_t kv_head, bool for_backward);

    AlignedBuffer k_scores, v_values;  ///< forward
    AlignedBuffer v_scores, k_values;  ///< backward only

    /// Where key `base` (a multiple of the panel width) starts in a scores / values operand, and their panel strides.
    [[nodiscard]] static const double* at_scores(const AlignedBuffer& b, std::int64_t base, int dim) {
        return b.data() + base * dim;
    }
    [[nodiscard]] static const double* at_values(const AlignedBuffer& b, std::int64_t base) {
        return b.data() + base * tiles::best().right_panel;
    }
    [[nodiscard]] static std::ptrdiff_t scores_stride(int dim) {
        return static_cast<std::ptrdiff_t>(dim) * tiles::best().right_panel;
    }
    [[nodiscard]] static std::ptrdiff_t values_stride(std::int64_t padded_keys) {
        return static_cast<std::ptrdiff_t>(padded_keys) * tiles::best().right_panel;
    }
};

/// Throws unless the problem is valid, dense, and its dialect can do it (refusals.hpp).
void require_computable(const Problem& problem, const Inputs& inputs);

}  // namespace dca::reference
