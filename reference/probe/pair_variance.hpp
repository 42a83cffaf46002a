// var_S of docs/error_model.md section 3 where q and k are constant: a polynomial in the key's position, the logit and
// the row's lse.
#pragma once

#include <vector>

#include "reference/noise/pair_noise.hpp"
#include "reference/probe/head.hpp"

namespace dca::reference::probe {

/// Of one row: var_S = c0 + c1 P_k + c2 P_k^2 + cs s^2 + u (s - lse)^2, before large errors are widened.
struct PairCoefficients {
    double c0, c1, c2, cs, u;
    /// Without the last term.
    [[nodiscard]] double own(double position, double s) const {
        return c0 + position * (c1 + position * c2) + cs * s * s;
    }
};

/// What the error model needs of one query head. Energies of rotary pairs are the largest over all positions: equal
/// but for the roundings of the dialect.
struct NoiseHead {
    NoiseHead(const Head& head, const noise::Call& call);

    const Head& head;
    const noise::Call& call;
    std::vector<double> query_energy;  ///< by column of PairEnergy, softmax_scale squared in it
    std::vector<double> key_energy;
    double query_norm = 0, key_norm = 0;  ///< largest squared norms, the former with softmax_scale squared
    std::vector<double> key_position;     ///< by place in the chunk
    double v_concentration = 1, dout_concentration = 1;

    [[nodiscard]] PairCoefficients coefficients(double query_position) const;

private:
    double rotated_ = 0, turned_ = 0;  ///< sums over the pairs of the products of energies, and times f^2
};

/// p = scale w and the variance of its relative error for `count` keys of a tile.
void pair_row(const PairCoefficients& c, int count, const double* position, const double* w, const double* s,
              double scale, double lse, double* p, double* variance);

/// A bound of how much exponential_variance(x + y) - exponential_variance(x) grows with y, for x + y up to `largest`.
[[nodiscard]] double large_error_slope(double largest);

/// channel_concentration of many rows, on all threads.
[[nodiscard]] double concentration(const noise::Rows& rows);

}  // namespace dca::reference::probe
