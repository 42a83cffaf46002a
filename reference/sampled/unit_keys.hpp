// Keys and values of one unit and kv head as operands of the tile kernels.
#pragma once

#include "reference/math/aligned_buffer.hpp"
#include "reference/sampled/slices.hpp"

namespace dca::reference::sampled {

/// The unit's keys in tiles of key_tile_columns; columns of `scores` operands are keys, of `values` operands channels.
class UnitKeys {
public:
    /// gradient: also what the gradients multiply with.
    UnitKeys(const SequenceContext& context, std::int64_t kv_head, const Unit& unit, bool gradient);

    struct Tile {
        std::int64_t first;  ///< key
        int keys, columns;   ///< columns: keys rounded up to tiles::column_alignment
    };
    [[nodiscard]] const std::vector<Tile>& tiles() const { return tiles_; }

    /// target (rows x key_tile_columns) = left (rows x head_dim or head_dim_v) times the tile's keys or values.
    void times_keys(const Tile& tile, int rows, const double* left, double* target) const;
    void times_values(const Tile& tile, int rows, const double* left, double* target) const;
    /// target (rows x padded dim) += left (rows x keys of the tile) times the tile's values or keys.
    void add_sum_of_values(const Tile& tile, int rows, const double* left, double* target) const;
    void add_sum_of_keys(const Tile& tile, int rows, const double* left, double* target) const;

private:
    [[nodiscard]] std::int64_t offset(const Tile& tile) const { return tile.first - begin_; }

    int dim_, dim_v_, padded_dim_, padded_dim_v_;
    std::int64_t begin_;
    std::vector<Tile> tiles_;
    AlignedBuffer k_scores_, v_scores_, k_values_, v_values_;
};

}  // namespace dca::reference::sampled
