// The expected rounding error of dk and dv of the keys of one chunk (docs/error_model.md section 5): near rows pair by
// pair, far rows by their moments.
#pragma once

#include "reference/probe/far_key_noise.hpp"
#include "reference/probe/far_row_noise.hpp"
#include "reference/probe/key_chunk.hpp"

namespace dca::reference::probe {

class KeyNoise {
public:
    /// The heads of the group, in the order KeyChunk takes them.
    struct OfHead {
        const NoiseHead* noise;
        const FarKeyNoise* far_keys;
        const FarRowNoise* far_rows;
    };
    KeyNoise(std::vector<OfHead> heads, std::int64_t chunk, bool dk, bool dv);

    /// Before the first block of a head.
    void begin_head(const Head& head);
    void begin_block(const Head& head, const Panel& panel, const Block& block, std::int64_t query_chunk,
                     const std::vector<double>& dout);
    /// A tile of dout . v, padded_rows x tile_keys.
    void add_tile(int tile, const double* dp);
    /// The sums of one mode of one head.
    void add_part(const FinishedHead& finished, Mode mode, const KeyChunk::Part& part);
    /// sigma of one key. dk_rotated and dk_back: with the softmax scale.
    void finish(int t, const double* dk_rotated, const double* dk_back, const double* dv, ProbeResults& results);

private:
    struct KeySums {
        double weight = 0, ds_squared = 0, turned = 0;         ///< of one head: W without the accumulation of dk
        bool bounded = false;                                  ///< near rows by bounds
        double rounded = 0, carried = 0, carried_squared = 0;  ///< shares of dv
    };
    [[nodiscard]] const OfHead& of(const Head& head) const;
    [[nodiscard]] double queries(int t) const;
    [[nodiscard]] double operand(int t) const;
    [[nodiscard]] bool add_bound(int start, int keys, int first_row);
    void add_far(const OfHead& head);
    void end_head(const OfHead& head);
    void finish_dk(int t, const double* rotated, const double* back, float* sigma) const;
    void finish_dv(int t, const double* dv, float* sigma) const;

    std::vector<OfHead> heads_;
    std::int64_t chunk_;
    const noise::Call& call_;
    bool dk_, dv_;
    int keys_, dim_, dim_v_, padded_v_;
    std::vector<KeySums> sums_;
    std::vector<double> v_norm_;
    std::vector<double> k_energy_, k_turned_, k_parts_;  ///< keys x columns, pairs, columns
    std::vector<double> v_parts_;
    AlignedBuffer v_energy_;  ///< keys x padded_v
    // Of the block begun last.
    const OfHead* head_ = nullptr;
    const Panel* panel_ = nullptr;
    Geometry::Present present_{};
    std::int64_t first_index_ = 0;
    std::vector<double> dout_norm_, fourth_;  ///< of the rows; by channel: sqrt of sum dout^4
    AlignedBuffer dout_squared_;              ///< right operand
    AlignedBuffer v_weight_, left_;           ///< of the tile
    int parts_ = 0;
};

}  // namespace dca::reference::probe
