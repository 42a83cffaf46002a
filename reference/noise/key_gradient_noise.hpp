// Rounding error of dk and dv of one key tile: sums over every query that sees it (docs/error_model.md section 5).
#pragma once

#include <array>
#include <vector>

#include "reference/noise/output_noise.hpp"
#include "reference/noise/score_gradient.hpp"

namespace dca::reference::noise {

class KeyGradientNoise {
public:
    /// Keys first ... first + count - 1 of a kv head.
    KeyGradientNoise(const Call& call, std::int64_t kv_head, std::int64_t first, int count);

    /// One query head of the group: every query tile of the sequence.
    void add_head(const std::vector<QueryTile>& tiles, std::int64_t head, const InheritedNoise& inherited,
                  Products& products);
    /// Writes sigma of dk and dv. Concentrations: channel_concentration of the group's queries and of dout.
    void finish(double q_concentration, double dout_concentration, Tensor<float, 4>& dk, Tensor<float, 4>& dv);

private:
    void add(const QueryFacts& facts, const QueryRows& queries, const InheritedNoise& inherited, Products& products);
    /// Variance of summing up, relative to the square of one term of the key's sums: of row `row` of the head at hand.
    [[nodiscard]] double sum_variance_of(int j, std::int64_t first_seen, std::int64_t row, Dtype operand) const;
    void end_head();
    [[nodiscard]] double angle_error(int j, int column, double dk_energy) const;
    void finish_dk(int j, double q_concentration, float* sigma) const;
    void finish_dv(int j, double dout_concentration, float* sigma) const;

    const Call& call_;
    std::int64_t kv_head_;
    KeyRows keys_;
    PairTile tile_;
    Matrix k_weight_, v_weight_, ds_squared_;  ///< of the tile: variance of ds, of p; ds^2
    std::array<Matrix, 3> mode_dk_, mode_dv_;  ///< of one head: what a kernel that runs the modes apart writes
    Matrix dk_, dv_;                           ///< sums over heads; dk in the rotated frame, without softmax scale
    Matrix k_energy_, turned_, v_energy_;      ///< sum weight qbar, sum ds^2 P_q^2 qbar, sum weight dout^2
    Matrix k_parts_, v_parts_;                 ///< energies of the parts
    std::vector<ScoreShares> k_shares_, v_shares_;
    std::vector<double> queries_;  ///< that see the key, over all heads
    int parts_ = 0;
    std::int64_t heads_done_ = 0;
};

}  // namespace dca::reference::noise
