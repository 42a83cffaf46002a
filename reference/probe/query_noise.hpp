// The expected rounding error of out, lse and dq of one block of rows: sections 4 to 6 of docs/error_model.md, near
// keys pair by pair, far keys by their moments (docs/probe.md).
#pragma once

#include <limits>

#include "reference/probe/far_key_noise.hpp"
#include "reference/probe/query_block.hpp"

namespace dca::reference::probe {

/// What bounds of the near pairs' sums may add to a variance, relative to the far pairs': 2 % of sigma. Leading
/// roundings are raised as much where they are used, lest the margin of section 6 sinks with their share.
inline constexpr double near_bound = 0.04;

class QueryNoise {
public:
    QueryNoise(const NoiseHead& noise, const FarKeyNoise& far, QueryBlock& rows);

    /// After QueryBlock::forward: sigma of out and lse where wanted, and the variances that gradients inherit.
    void finish_forward(ProbeResults& results);
    /// During QueryBlock::backward: a tile of dout . v, padded_rows x tile_keys.
    void add_tile(const Panel& panel, int tile, const double* dp);
    /// dq~ of one mode of a row, with the softmax scale.
    void add_part(int r, Mode mode, const double* part, const double* angles, double position);
    /// After it: sigma of dq, and delta_variance of the facts.
    void finish_dq(const AlignedBuffer& dout_left, ProbeResults& results);

private:
    struct RowSums {
        double out_norm = 0, dout_norm = 0;
        double p_logit = 0, largest_p = 0, largest_logit = -std::numeric_limits<double>::infinity(),
               p_squared_variance = 0, operand = 0, shared_lse = 0;
        bool bounded = false;           ///< near keys by bounds
        double dp_squared = 0;          ///< sum (dout . v)^2
        double delta_of_keys = 0;       ///< variance of delta from the errors of every p
        double delta_of_output = 0;     ///< and from those of the written out
        double weight = 0, turned = 0;  ///< sum W, sum ds^2 P_k^2
        int modes = 0;
    };
    [[nodiscard]] RowSums& sums(int r) { return sums_[static_cast<std::size_t>(r)]; }
    [[nodiscard]] double visible_keys(int r) const;
    [[nodiscard]] double product_variance(int r) const;
    [[nodiscard]] bool meets_far(int r) const { return far_chunks(r) > 0 && noise_.head.far.exists(); }
    /// Chunks whose keys row r meets at the far position.
    [[nodiscard]] std::int64_t far_chunks(int r) const;
    [[nodiscard]] double far_scale(int r);
    void add_near(const Panel& panel, bool channels);
    [[nodiscard]] bool add_bound(const Panel& panel, int tile, const std::vector<double>& squared, const double* weight,
                                 const double* logit_weight);
    void add_far(int r);
    void add_modes(int r);
    void finish_out(int r, ProbeResults& results);
    void finish_lse(int r, ProbeResults& results);
    void add_far_gradient(const AlignedBuffer& dout_left);
    void finish_row(int r, ProbeResults& results);
    [[nodiscard]] const double* key_sum(int r, Mode mode) const;

    const NoiseHead& noise_;
    const noise::Call& call_;
    const FarKeyNoise& far_;
    QueryBlock& rows_;
    int dim_, dim_v_, padded_v_;
    std::vector<RowSums> sums_;
    AlignedBuffer squares_, logit_values_;           ///< sum weight v^2, sum p^2 var_S v: padded rows x padded_v
    std::vector<double> far_energy_;                 ///< of the errors that far keys carry into out
    std::vector<double> visible_values_;             ///< sum v^2 over visible keys, rows x head_dim_v
    std::vector<double> part_values_, part_shifts_;  ///< sum over modes of (w_m O_m)^2 and (w_m (O_m - O))^2
    std::vector<double> mean_back_, mean_energy_;    ///< sum over modes of p k~: rotated back, and its pair energies
    std::vector<double> dq_;                         ///< of the plain softmax
    std::vector<double> part_energy_, part_turned_;  ///< of dq~, by column; times P_q^2, by pair
};

}  // namespace dca::reference::probe
