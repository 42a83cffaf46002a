// The row rule compares the root mean square over the channels of a row, which is sharp only where many independent
// errors make up the row. Where one key, one channel or one common factor dominates, the scale is widened so that the
// flat line of the row rule stays safe (docs/error_model.md section 6).
#pragma once

#include <span>

#include "reference/noise/matrix.hpp"

namespace dca::reference::noise {

/// The row lines this model is made for: rms_row(error) <= line * rms_row(sigma).
inline constexpr double forward_row_line = 2;
inline constexpr double gradient_row_line = 3;

/// Multiplies the variances of a row so that line * ||sigma|| >= F + 4 sqrt(leading), F^2 = sum(variance). `leading`
/// bounds the largest eigenvalue of the covariance of the row's errors.
void widen(std::span<double> variance, double leading, double line);

/// Leading eigenvalue of roundings that every channel has on its own: the largest, or more where the channels hold the
/// same values and so round alike.
[[nodiscard]] double leading_of_channels(std::span<const double> variance, double channel_concentration);

/// Sums of the energies of independent sources, for how evenly they share.
struct Shares {
    double sum = 0, sum_of_squares = 0;
    void add(double energy) {
        sum += energy;
        sum_of_squares += energy * energy;
    }
    /// 1 / (effective number of sources - lost), at most 1. lost: sources taken away by a constraint on their sum.
    [[nodiscard]] double concentration(double lost) const;
};

/// tr(G^2) / tr(G)^2 of G = X^T X: 1 / (effective number of independent channels of the rows); 1 for rows of zeros.
[[nodiscard]] double channel_concentration(const Rows& rows, Products& products);
/// The same in two steps, for rows that come in pieces: gram += X^T X, and the ratio.
void add_gram(const Rows& rows, Products& products, Matrix& gram);
[[nodiscard]] double concentration_of_gram(const Matrix& gram);

}  // namespace dca::reference::noise
