// The softmax weights of a block of rows against the keys of one chunk: the same for every chunk, since logits depend
// on positions alone.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "reference/probe/geometry.hpp"

namespace dca::reference::probe {

/// Weights exp(s - shift) of a block in mode intra (the row's own chunk, causal) or succ (the chunk before; rows that
/// are not near() have weight 0; those behind the last near one are left out). Stored in tiles of tile_keys keys.
struct Panel {
    Panel(const Geometry& geometry, const Block& block, Mode mode, int keys);

    Mode mode;
    int rows, padded_rows, keys, tiles;     ///< rows: the first ones of the block
    std::vector<double> shift, weight_sum;  ///< of each row: its largest logit (-inf: it meets no key), sum of weights
    std::vector<double> query;              ///< rows x head_dim, rotated, times softmax_scale
    std::vector<double> key_sum;            ///< rows x head_dim: sum w k~
    std::vector<double> angles;             ///< rows x angles_size of the rotations
    std::vector<double> position;           ///< of each row
    AlignedBuffer query_right;              ///< the same packed, rows along the inner dimension

    [[nodiscard]] int tile_keys_of(int tile) const { return std::min(tile_keys, keys - tile * tile_keys); }
    /// Rows of a tile that see any key of it begin here; a multiple of row_alignment.
    [[nodiscard]] int first_row(int tile) const;
    /// Keys of the tile that a row meets.
    [[nodiscard]] int visible(int row, int tile) const;
    /// padded_rows x tile_keys.
    [[nodiscard]] const double* weights(int tile) const { return weights_.data() + tile * tile_size(); }
    [[nodiscard]] const double* logits(int tile) const { return logits_.data() + tile * tile_size(); }
    /// The weights as a left operand, from first_row(tile) on.
    [[nodiscard]] const double* packed(int tile) const {
        return packed_.data() + tile * tile_size() + first_row(tile) * tile_keys_of(tile);
    }
    [[nodiscard]] std::size_t bytes() const {
        return 3 * sizeof(double) * static_cast<std::size_t>(tiles) * tile_size();
    }

private:
    [[nodiscard]] static int rows_of(const Geometry& geometry, const Block& block, Mode mode);
    [[nodiscard]] std::ptrdiff_t tile_size() const { return static_cast<std::ptrdiff_t>(padded_rows) * tile_keys; }
    void fill_logits(const Geometry& geometry);
    void fill_weights();
    void fill_key_sums(const Geometry& geometry);

    std::int64_t first_;  ///< place in the chunk of row 0
    AlignedBuffer weights_, logits_, packed_;
    std::vector<char> meets_;  ///< of each row
};

/// Panels of one head, kept while they fit.
class Panels {
public:
    explicit Panels(const Geometry& geometry) : geometry_(geometry) {}
    [[nodiscard]] std::shared_ptr<const Panel> get(const Block& block, Mode mode, int keys) const;

private:
    const Geometry& geometry_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::int64_t, Mode>, std::shared_ptr<const Panel>> kept_;
    mutable std::size_t bytes_ = 0;
};

}  // namespace dca::reference::probe
