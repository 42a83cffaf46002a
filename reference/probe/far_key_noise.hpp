// Moments of the far keys that the error model sums: weights w^2 and w^2 var_S against v, v^2 and v v^T.
#pragma once

#include "reference/probe/pair_variance.hpp"

namespace dca::reference::probe {

/// What a term may be that is bounded instead of summed over far keys, relative to the variance it is a part of.
inline constexpr double far_bound = 0.01;

/// Sums over keys. `a` stands for the part of var_S without lse: var_S = a - 2 u s lse + u lse^2 (FarKeyNoise::u).
struct KeyMoments {
    const double* at;
    int dim_v;
    const int* places;
    [[nodiscard]] double logit() const { return at[0]; }        ///< sum w s
    [[nodiscard]] double w2() const { return at[1]; }           ///< sum w^2
    [[nodiscard]] double w2_a() const { return at[2]; }         ///< sum w^2 a
    [[nodiscard]] double w2_s() const { return at[3]; }         ///< sum w^2 s
    [[nodiscard]] double w2_position() const { return at[4]; }  ///< sum w^2 P_k^2
    [[nodiscard]] double w2_norm() const { return at[5]; }      ///< sum w^2 |v|^2
    [[nodiscard]] double norm() const { return at[6]; }         ///< sum |v|^2
    [[nodiscard]] double count() const { return at[7]; }
    enum Vector { squares, a_squares, s_squares, values, a_values, s_values, position_values, vectors };
    /// sum w^2 {1, a, s} v^2, sum w^2 {1, a, s, P_k^2} v
    [[nodiscard]] const double* vector(Vector which) const { return at + scalars + which * dim_v; }
    enum Matrix { plain, with_a, with_s, with_position, matrices };
    /// sum w^2 {1, a, s, P_k^2} v v^T, padded; null where FarKeyNoise needs none.
    [[nodiscard]] const double* matrix(Matrix which) const {
        const int place = places[which];
        return place < 0 ? nullptr : vector(vectors) + place * padded_left(dim_v) * padded_right(dim_v);
    }
    static constexpr int scalars = 8;
};

class FarKeyNoise {
public:
    /// gradients: the matrices too.
    FarKeyNoise(const NoiseHead& noise, bool gradients);

    /// Far keys of the chunks before `chunk`. Precondition: the head has far keys.
    [[nodiscard]] KeyMoments before(std::int64_t chunk) const {
        return {before_.of(std::min(chunk, before_.chunks() - 1)), dim_v_, places_};
    }
    /// sum of v^2 over all keys of the chunks before `chunk`.
    [[nodiscard]] const double* all_squares(std::int64_t chunk) const {
        return all_squares_.of(std::min(chunk, all_squares_.chunks() - 1));
    }
    double u = 0;           ///< weight of (s - lse)^2; 0 where its largest value is in a
    std::vector<double> a;  ///< by place in the chunk
    double least_a = 0;     ///< the smallest of a
    double same_a = -1;     ///< var_S of every far key; negative: there are several
    double position2 = 0;   ///< the largest P_k^2 of a chunk
    /// Gives the sums back; weights and logits stay.
    void release() { before_ = {}, all_squares_ = {}; }

private:
    void bound(const NoiseHead& noise);
    void sum_far(const NoiseHead& noise, bool gradients);

    int dim_v_;
    int places_[KeyMoments::matrices] = {0, 1, 2, 3}, matrices_ = KeyMoments::matrices;
    Moments before_, all_squares_;
};

}  // namespace dca::reference::probe
