// The sampled rows of one batch entry: their q and dout, turned for each mode, in tiles of consecutive samples.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "reference/sampled/slices.hpp"

namespace dca::reference::sampled {

inline constexpr int row_tile_rows = 4 * tiles::row_alignment;

/// Samples [begin, begin + count), which may lie in different chunks.
struct RowTile {
    int begin, count;
    [[nodiscard]] int padded() const { return static_cast<int>(round_up(count, tiles::row_alignment)); }
};

class Rows {
public:
    /// context: of this batch entry; its inputs hold q and dout of the samples.
    Rows(const SequenceContext& context, std::span<const std::int64_t> rows);

    [[nodiscard]] int count() const { return static_cast<int>(index_.size()); }
    [[nodiscard]] std::int64_t index(int r) const { return index_[static_cast<std::size_t>(r)]; }
    /// Tiles of every sample that sees a key, and the first such sample.
    [[nodiscard]] const std::vector<RowTile>& tiles() const { return tiles_; }
    /// The same samples in tiles of one chunk each, for the error model.
    [[nodiscard]] const std::vector<QueryTile>& chunk_tiles() const { return chunk_tiles_; }

    /// The mode in which sample r sees the unit's keys, or nothing; intra: those up to itself.
    [[nodiscard]] std::optional<Mode> mode(int r, const Unit& unit) const;
    /// How many keys from `first` on, at most count, sample r sees.
    [[nodiscard]] int visible(int r, std::int64_t first, int count) const;
    /// Whether any sample of the tile sees a key of the unit.
    [[nodiscard]] bool meets(const RowTile& tile, const Unit& unit) const;

    /// q of a tile, each row turned as the unit's keys need it, times the softmax scale; rows that see none are 0.
    /// tile.count x head_dim.
    void turned_queries(const RowTile& tile, std::int64_t head, const Unit& unit, double* out) const;

private:
    const SequenceContext& context_;
    std::vector<std::int64_t> index_;
    std::vector<RowTile> tiles_;
    std::vector<QueryTile> chunk_tiles_;
    std::array<std::vector<double>, 3> turned_;  ///< by mode: (head, sample, channel)
};

}  // namespace dca::reference::sampled
