// Keys that a row meets at the one position of all earlier chunks: their weights depend on the place in the chunk
// alone, so chunks are summed once and every row reads running sums.
#pragma once

#include "reference/noise/matrix.hpp"
#include "reference/probe/geometry.hpp"
#include "reference/probe/moments.hpp"

namespace dca::reference::probe {

struct Head;

/// Sums over keys with weights w = exp(s - shift).
struct FarSums {
    const double* at = nullptr;
    int dim_v = 0, dim = 0;
    [[nodiscard]] double weight() const { return at[0]; }
    [[nodiscard]] const double* value() const { return at + 1; }         ///< sum w v
    [[nodiscard]] const double* key() const { return value() + dim_v; }  ///< sum w k~
    [[nodiscard]] const double* matrix() const { return key() + dim; }   ///< sum w v k~^T, rows and columns padded
};

class FarKeys {
public:
    explicit FarKeys(const Geometry& geometry);
    /// gradients: the matrices too.
    void sum(const Head& head, bool gradients);

    [[nodiscard]] bool exists() const { return exists_; }
    /// Chunks that any row meets at the far position: later ones have no sums.
    [[nodiscard]] std::int64_t chunks() const { return chunks_; }
    [[nodiscard]] FarSums in_chunk(std::int64_t chunk) const { return {own_.of(chunk), dim_v_, dim_}; }
    /// Of the chunks before `chunk`, which may be beyond chunks().
    [[nodiscard]] FarSums before(std::int64_t chunk) const {
        return {before_.of(std::min(chunk, chunks_)), dim_v_, dim_};
    }

    double shift = 0;
    std::vector<double> weights, logits;  ///< by place in the chunk
    std::vector<double> query, angles;    ///< q~ at the far position, times softmax_scale
    /// Gives the sums back; weights and logits stay.
    void release() { own_ = {}, before_ = {}; }

private:
    bool exists_ = false;
    std::int64_t chunks_ = 0;
    int dim_v_, dim_;
    Moments own_, before_;
};

/// m += a^T diag(weights) a, as below: half of the work, since it is symmetric.
void add_weighted_gram(const noise::Rows& a, const double* weights, double* m);
/// m += a^T diag(weights) b for rows a and b; weights may be null for ones. m is padded(a.columns) x padded(b.columns).
void add_weighted_product(const noise::Rows& a, const double* weights, const noise::Rows& b, double* m);
[[nodiscard]] constexpr int padded_left(int columns) {
    return static_cast<int>(round_up(columns, tiles::row_alignment));
}
[[nodiscard]] constexpr int padded_right(int columns) {
    return static_cast<int>(round_up(columns, tiles::column_alignment));
}

}  // namespace dca::reference::probe
