// One query head of one sequence of a probe: its rotated rows by position, and which rows and keys lie in which chunk.
#pragma once

#include <optional>
#include <vector>

#include "reference/operands.hpp"

namespace dca::reference::probe {

/// Rows of a block: the part of a chunk's rows that is treated together.
inline constexpr int block_rows = 384;
/// Keys of a tile; divides block_rows and is a multiple of row_alignment and column_alignment / 2.
inline constexpr int tile_keys = 96;

/// Rows r0 ... r0 + rows - 1 of every chunk, where they exist.
struct Block {
    std::int64_t first;
    int rows;
    [[nodiscard]] int padded() const { return static_cast<int>(round_up(rows, tiles::row_alignment)); }
};

class Geometry {
public:
    /// q, k: the constant rows of the head and of its kv head.
    Geometry(const SequenceContext& context, const double* q, const double* k);

    const SequenceContext& context;
    std::int64_t chunk_len;
    std::int64_t first_index, end_index;  ///< of the rows that see a key; equal if there is none
    std::int64_t columns;                 ///< keys of the fullest chunk: min(chunk_len, key_count)
    double far_position;                  ///< of every query for all earlier keys

    [[nodiscard]] bool empty() const { return first_index >= end_index || columns == 0; }
    [[nodiscard]] std::int64_t first_chunk() const { return first_index / chunk_len; }
    [[nodiscard]] std::int64_t last_chunk() const { return (end_index - 1) / chunk_len; }
    [[nodiscard]] std::int64_t key_chunks() const { return (context.key_count + chunk_len - 1) / chunk_len; }
    /// Keys of a chunk; 0 outside of the sequence.
    [[nodiscard]] int keys_in(std::int64_t chunk) const;
    /// Blocks of the rows that exist, in ascending order.
    [[nodiscard]] std::vector<Block> blocks() const;
    /// Rows [begin, end) of the block that exist in a chunk, relative to the block.
    struct Present {
        int begin, end;
    };
    [[nodiscard]] Present present(const Block& block, std::int64_t chunk) const;

    /// Whether row r meets the chunk before at a position of its own; else at far_position.
    [[nodiscard]] bool near(std::int64_t r) const;
    /// Rotated keys of every position in a chunk, columns x head_dim.
    [[nodiscard]] const double* keys() const { return keys_.data(); }
    [[nodiscard]] const double* key(std::int64_t t) const { return keys_.data() + t * context.head_dim; }
    /// Index of a row at place r of a chunk that meets keys in this mode, if there is one.
    [[nodiscard]] std::optional<QueryIndex> row_in(Mode mode, std::int64_t r) const;
    /// q of that row as rotated for the mode, times `factor`, and its angles; zeros where there is none.
    void query(Mode mode, std::int64_t r, double factor, double* out, double* angles) const;
    /// Any row that meets keys at far_position, and in which mode.
    struct FarRow {
        QueryIndex index;
        Mode mode;
    };
    [[nodiscard]] std::optional<FarRow> far_row() const;
    /// q at far_position and its angles. Precondition: far_row().
    void far_query(double factor, double* out, double* angles) const;
    /// Angles of a key, as Rotations::key_angles gives them.
    [[nodiscard]] const double* key_angles(std::int64_t t) const {
        return angles_.data() + t * static_cast<std::ptrdiff_t>(context.rotations.angles_size());
    }

private:
    void rotate(QueryIndex i, Mode mode, double factor, double* out, double* angles) const;

    const double* q_;
    std::vector<double> keys_, angles_;
};

}  // namespace dca::reference::probe
