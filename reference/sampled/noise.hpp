// The error model of docs/error_model.md for the sampled rows and every key: the classes of reference/noise, fed slice
// by slice.
#pragma once

#include <memory>

#include "reference/noise/key_gradient_noise.hpp"
#include "reference/noise/output_noise.hpp"
#include "reference/noise/query_gradient_noise.hpp"
#include "reference/sampled/rows.hpp"

namespace dca::reference::sampled {

/// Effective number of channels of one tensor, from rows that come in pieces: a Gram matrix for each head.
class Concentration {
public:
    Concentration(std::int64_t heads, int dim);
    /// Rows of all heads, (rows, heads, dim) in memory, in pieces of one thread each; added in order.
    void add(std::span<const double> values);
    [[nodiscard]] std::vector<double> of_heads() const;

private:
    std::int64_t heads_;
    int dim_;
    std::vector<noise::Matrix> grams_;
};

struct Concentrations {
    std::vector<double> q, k, v, dout;  ///< by head; q and dout only with gradients
};

/// Sigma of out, lse and dq: one pass over the keys. Then the variances that dk and dv inherit are known.
class QueryNoise {
public:
    QueryNoise(const noise::Call& call, const Rows& rows);
    ~QueryNoise();
    QueryNoise(const QueryNoise&) = delete;
    QueryNoise& operator=(const QueryNoise&) = delete;
    void add(const Slice& slice);
    void finish(const Concentrations& concentrations, ErrorScales& scales, noise::InheritedNoise& inherited);

private:
    struct Tile;
    void add_keys(Tile& tile, const Slice& slice,
                  const std::vector<std::vector<std::unique_ptr<noise::KeyRows>>>& keys) const;

    const noise::Call& call_;
    const Rows& rows_;
    std::vector<std::unique_ptr<Tile>> tiles_;  ///< (chunk tile, head)
};

/// Sigma of dk and dv of the keys of a loaded slice, (keys, heads_kv, dim).
void key_noise(const noise::Call& call, const Rows& rows, const Slice& slice, const Concentrations& concentrations,
               const noise::InheritedNoise& inherited, Tensor<float, 4>& dk, Tensor<float, 4>& dv);

}  // namespace dca::reference::sampled
