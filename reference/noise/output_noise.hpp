// Rounding error of out and lse of one query tile, and what the gradients inherit from it (docs/error_model.md section
// 4).
#pragma once

#include <limits>
#include <vector>

#include "reference/noise/pair_noise.hpp"
#include "reference/noise/row_margin.hpp"

namespace dca::reference::noise {

/// What the backward pass inherits from the forward one, per (batch, head, row).
struct InheritedNoise {
    explicit InheritedNoise(const Shape& shape)
        : lse(lse_extents(shape)), delta(lse_extents(shape)), covariance(lse_extents(shape)) {}
    Tensor3 lse;         ///< variance of the written lse
    Tensor3 delta;       ///< variance of delta = dout . out, formed from the written out
    Tensor3 covariance;  ///< of the two, both moved by the errors of the logits; a family leaves it out
};

/// sum over the visible keys of p k~: how one error that all keys of a row share enters dq.
struct MeanKey {
    Matrix back;         ///< rotated back and summed over the modes, rows x head_dim
    Matrix part_energy;  ///< sum over the modes of the pair energies
};

class OutputNoise {
public:
    OutputNoise(const Call& call, const QueryFacts& facts);

    /// One mode: every tile of its keys, then end_mode.
    void add(const KeyRows& keys, const PairTile& tile, Products& products);
    void end_mode(const QueryRows& queries);
    /// Writes sigma of out and lse. v_concentration and k_concentration: channel_concentration of the head's values,
    /// keys.
    void finish(double v_concentration, double k_concentration, ErrorScales& scales, InheritedNoise& inherited);

    [[nodiscard]] const MeanKey& mean_key() const { return mean_key_; }

private:
    struct RowSums {
        double p_logit = 0;  ///< sum p s
        double largest_p = 0, largest_logit = -std::numeric_limits<double>::infinity();
        double p_squared_variance = 0;
        double delta_of_keys = 0;  ///< variance of delta from the errors of every p
        double covariance = 0;     ///< of lse and delta
        double own_query = 0;      ///< part of p_squared_variance that is the query's, the same in all keys of a mode
        double p_squared = 0, p_variance = 0;
        double dp_squared = 0;
        double shared_lse = 0;  ///< part of the variance of lse that all keys share
        double operand = 0;     ///< energy of the roundings of p and of accumulated products
        int modes = 0;
        Shares logit;  ///< energy of the logit errors
    };

    struct ModeOfQuery {
        Matrix rotated, rounded, mean_key;
    };

    void add_visible_values(const KeyRows& keys, const PairTile& tile);
    [[nodiscard]] double shared_query_error(const QueryRows& queries, int r) const;
    [[nodiscard]] double query_rounding_error(const ModeOfQuery& a, const ModeOfQuery& b, int r) const;
    void finish_out(int r, double v_concentration, double k_concentration, float* sigma, double* delta_variance) const;
    [[nodiscard]] double lse_variance(int r) const;
    /// The same as the backward pass meets it: the errors of the logits independent of each other.
    [[nodiscard]] double inherited_lse_variance(int r) const;
    /// Of the denominator relative to its square, and of what is done with it to make lse.
    [[nodiscard]] double denominator_variance(int r) const;
    [[nodiscard]] double lse_rounding(int r) const;
    /// Variance of an accumulator rounding of one p v product, relative to its square.
    [[nodiscard]] double product_variance(int r) const;
    [[nodiscard]] SumDepth value_depth(int r) const;
    /// Variance of rounding one p to its type relative to its square, in expectations.
    [[nodiscard]] double relative_rounding(const PairTile& tile, int r, int j) const;

    const Call& call_;
    const QueryFacts& facts_;
    std::vector<RowSums> sums_;
    Matrix weight_, logit_weight_;  ///< of the tile
    Matrix mode_out_, mode_key_;    ///< sum p v and sum p k~ of the mode
    std::vector<double> mode_p_;
    Matrix squares_, logit_values_;    ///< sum weight v^2, sum logit_weight v
    Matrix visible_values_;            ///< sum v^2 over the visible keys
    Matrix part_energy_, part_shift_;  ///< sum over modes of (w_m O_m)^2 and (w_m (O_m - O))^2
    MeanKey mean_key_;
    std::vector<double> angles_;
    Matrix largest_p_;                ///< p of the running maximum; expectations only
    std::vector<ModeOfQuery> modes_;  ///< that are done; likewise
};

/// sigma of a variance as it is stored. At least the smallest float32: the squares of f64 values below 1e-162 vanish
/// here, and their roundings must not fail for it.
[[nodiscard]] float sigma_of(double variance);

}  // namespace dca::reference::noise
