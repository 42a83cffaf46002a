// How one head of one sequence is laid out for the double-double kernels: rows rotated and split in hi and lo, packed
// once, with the norms that the error bounds need.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/certified/angles.hpp"
#include "reference/certified/bounds.hpp"
#include "reference/certified/kernels/choose.hpp"
#include "reference/math/aligned_buffer.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::certified {

using reference::AlignedBuffer;
using reference::KeySpan;
using reference::Sequence;

/// Rows of a query tile at most, and keys of a key tile.
inline constexpr int query_tile_rows = 96;
inline constexpr int key_tile_columns = 128;

[[nodiscard]] constexpr std::int64_t round_up(std::int64_t n, std::int64_t step) {
    return (n + step - 1) / step * step;
}

/// An array of double-doubles.
struct Buffer {
    Buffer() = default;
    explicit Buffer(std::int64_t count) : hi(static_cast<std::size_t>(count)), lo(static_cast<std::size_t>(count)) {}
    AlignedBuffer hi, lo;
};

/// What every tile of one sequence needs.
class Context {
public:
    Context(const Problem& problem, const Inputs& inputs, const Sequence& sequence);

    const Problem& problem;
    const Inputs& inputs;
    Sequence sequence;
    double softmax_scale;
    double mscale_bound;  ///< max(1, |mscale|): rotating back multiplies norms by no more
    int dim, dim_v;
    int padded_dim, padded_dim_v;
    std::int64_t group, key_count, padded_keys;  ///< keys padded to whole tiles

    /// Every position that a query or key of the sequence is rotated by, ascending.
    [[nodiscard]] const std::vector<std::int64_t>& positions() const { return in_use_; }
    [[nodiscard]] std::int64_t query_position(std::int64_t index, Mode mode) const;
    [[nodiscard]] std::int64_t key_position(std::int64_t j) const;
    /// R(position) row times factor, padded_dim numbers; within rotation_error of its norm.
    void rotate(std::int64_t position, const double* row, double factor, double* hi, double* lo) const;
    /// R(position)^T of padded_dim numbers in place.
    void rotate_back(std::int64_t position, double* hi, double* lo) const;

    /// Of each channel of a rotated row at least the norm of the pair it belongs to, which rotating keeps: raises
    /// `most`.
    void raise_pair_magnitudes(const double* row, std::vector<double>& most) const;

    /// Multiply-adds of one forward pass of one head, at most, in units of plain ones: what parallel_for wants to know.
    [[nodiscard]] double head_work() const;

private:
    void turn(std::int64_t position, double sign, const double* in_hi, const double* in_lo, double* hi,
              double* lo) const;

    reference::PositionMap positions_;
    std::vector<std::int64_t> in_use_;
    Angles angles_;
    std::vector<std::int64_t> pairs_;  ///< where the first and the second dim of pair k go among eights of each
};

/// Rows [row_begin, row_end) of the sequence, all in one chunk; row_begin has absolute index first_index >= 0.
struct QueryTile {
    std::int64_t row_begin, row_end;
    std::int64_t first_index;
    ChunkIndex chunk;
    [[nodiscard]] int rows() const { return static_cast<int>(row_end - row_begin); }
    [[nodiscard]] int padded_rows() const { return static_cast<int>(round_up(rows(), row_alignment)); }
    [[nodiscard]] std::int64_t last_index() const { return first_index + rows() - 1; }
};

/// Tiles of every row that can see a key, the last rows first.
[[nodiscard]] std::vector<QueryTile> query_tiles(const ChunkConfig& chunk, const Sequence& sequence);

/// The part of a key span that one query tile meets inside one key tile: keys [first, last), formed on [base, base +
/// columns).
struct KeyBlock {
    std::int64_t first, last;
    std::int64_t base;
    int columns;  ///< 0: nothing
};
[[nodiscard]] KeyBlock key_block(const KeySpan& span, std::int64_t tile, std::int64_t last_index);
/// Sets every score outside the block, or above the diagonal of an intra span, to -inf. rows x key_tile_columns.
void mask_scores(const KeySpan& span, const KeyBlock& block, const QueryTile& tile, double* hi, double* lo);

/// The keys and values of one kv head as right operands, and their norms.
struct KeyOperands {
    KeyOperands(const Context& context, std::int64_t kv_head, bool for_backward);

    Buffer k_scores, k_values;                 ///< columns are keys; columns are channels (backward)
    AlignedBuffer v_values, v_scores;          ///< columns are channels; columns are keys (backward)
    double key_norm = 0, value_norm = 0;       ///< max_j |k~_j|, max_j |v_j|
    std::vector<double> value_magnitude;       ///< max_j |v_jc|, padded_dim_v
    std::vector<double> key_magnitude;         ///< max_j of pair_magnitudes, padded_dim
    std::vector<double> value_bias, key_bias;  ///< powers of two at least max_j |v_jc| and max_j |k~_je|, padded

    [[nodiscard]] static std::ptrdiff_t scores_stride(int dim) {
        return static_cast<std::ptrdiff_t>(dim) * kernels().right_panel;
    }
    [[nodiscard]] static std::ptrdiff_t values_stride(std::int64_t padded_keys) {
        return static_cast<std::ptrdiff_t>(padded_keys) * kernels().right_panel;
    }
};

/// q rows of a tile rotated for one mode, times the softmax scale.
struct QueryOperands {
    QueryOperands(const Context& context, const QueryTile& tile, std::int64_t head, Mode mode, bool for_keys);
    Buffer left, right;             ///< packed; right only for_keys
    std::vector<double> magnitude;  ///< for_keys: max_i of pair magnitudes, padded_dim
    std::vector<double> norm;       ///< |q~_i| of each row
    std::vector<double> bias;       ///< for_keys: a power of two at least max_i |q~_ie| of each channel
};

/// The logits of one block, not masked: rows (padded) x key_tile_columns. row_bias: at least |q~_i| max |k~_j| of each
/// row.
void multiply_scores(const QueryOperands& q, const KeyOperands& keys, const KeyBlock& block, int rows, int dim,
                     const double* row_bias, Buffer& scores);

}  // namespace dca::certified
