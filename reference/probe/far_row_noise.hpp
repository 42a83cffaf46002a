// Moments of the rows that meet keys at the far position, for the error model of dk and dv.
#pragma once

#include "reference/probe/far_key_noise.hpp"

namespace dca::reference::probe {

/// Sums over rows with z = scale^2, l = lse and b = u lse^2 + lse_variance: var_S + lse_variance = a - 2 u s l + b.
struct RowMoments {
    const double* at;
    int dim_v;
    double largest_b;  ///< of the rows
    const int* places;
    enum Scalar {
        count,
        norm,
        delta2,  ///< sum 1, |dout|^2, delta^2
        z_delta2,
        zl_delta2,
        zb_delta2,    ///< sum z {1, l, b} delta^2
        z_inherited,  ///< sum z delta_variance
        z_norm,
        zl_norm,
        zb_norm,  ///< sum z {1, l, b} |dout|^2
        y,
        yl,
        yb,
        yll,
        ybb,
        ybl,  ///< sum (z |dout|^2)^2 {1, l, b, l^2, b^2, b l}
        scalars
    };
    enum Vector { squares, z_squares, zl_squares, zb_squares, z_values, zl_values, zb_values, vectors };
    enum Matrix { z_matrix, zl_matrix, zb_matrix, matrices };
    [[nodiscard]] double operator[](Scalar which) const { return at[which]; }
    /// sum {1, z, z l, z b} dout^2, sum z {1, l, b} delta dout
    [[nodiscard]] const double* vector(Vector which) const { return at + scalars + which * dim_v; }
    /// sum z {1, l, b} dout dout^T, padded; the second is there where FarKeyNoise::u > 0.
    [[nodiscard]] const double* matrix(Matrix which) const {
        return vector(vectors) + places[which] * padded_left(dim_v) * padded_right(dim_v);
    }
};

class FarRowNoise {
public:
    /// matrices: for dk.
    FarRowNoise(const NoiseHead& noise, const FarKeyNoise& keys, bool matrices);

    /// Over the rows that meet the keys of a chunk at the far position.
    [[nodiscard]] RowMoments of(std::int64_t key_chunk) const;

private:
    void sum_chunk(const NoiseHead& noise, const FarKeyNoise& keys, std::int64_t n, bool matrices);

    std::int64_t first_, last_;
    int dim_v_;
    int places_[RowMoments::matrices] = {0, 1, 2}, matrices_ = RowMoments::matrices;
    std::vector<double> largest_b_;  ///< of chunk first_ + n and of later ones
    /// Of chunk first_ + n: its rows that are not near and all rows of later chunks; all rows of it and of later ones.
    Moments next_, from_;
};

}  // namespace dca::reference::probe
