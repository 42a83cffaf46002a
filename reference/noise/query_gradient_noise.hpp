// Rounding error of dq of one query tile (docs/error_model.md section 5).
#pragma once

#include <span>
#include <vector>

#include "reference/noise/output_noise.hpp"
#include "reference/noise/score_gradient.hpp"

namespace dca::reference::noise {

class QueryGradientNoise {
public:
    QueryGradientNoise(const Call& call, const QueryFacts& facts);

    /// mode_keys: keys of the tile's mode that each row sees.
    void add(const KeyRows& keys, const PairTile& tile, std::span<const double> mode_keys, Products& products);
    void end_mode(const QueryRows& queries, std::span<const double> mode_keys);
    /// Writes sigma of dq. mean_key: OutputNoise::mean_key of the same tile.
    void finish(const MeanKey& mean_key, double k_concentration, const InheritedNoise& inherited,
                Tensor<float, 4>& sigma);

private:
    /// Variances that the row inherits.
    struct InheritedRow {
        double lse, delta, covariance;
    };
    [[nodiscard]] double expected_shared(int r, int column, const MeanKey& mean_key, const InheritedRow& row) const;
    [[nodiscard]] double angle_error(int r, int column) const;
    void add_shared_errors(const KeyRows& keys, const PairTile& tile, Products& products);
    [[nodiscard]] SumDepth depth(int r, std::span<const double> mode_keys) const;

    const Call& call_;
    const QueryFacts& facts_;
    Matrix weight_;   ///< variance of ds, of the tile
    Matrix mode_dq_;  ///< sum ds k~ of the mode, in its frame
    Matrix ds_squared_;
    Matrix energy_;       ///< sum weight kbar
    Matrix turned_;       ///< sum ds^2 P_k^2 kbar of rotary pairs
    Matrix part_energy_;  ///< sum over modes of the pair energy of dq~
    Matrix part_turned_;  ///< the same times P_q^2
    Matrix dq_;
    /// Expectations only. The errors of the logits reach dq directly, through lse and through delta: sum of their
    /// variance times ds^2 k~ and times p ds k~, of the mode and rotated back. And sums that grew mode by mode.
    Matrix mode_direct_, mode_lse_, direct_, of_lse_, drift_;
    std::vector<ScoreShares> shares_;
    std::vector<double> angles_;
};

}  // namespace dca::reference::noise
