// out and lse of one head in double-doubles, and what the backward pass needs to know of every row.
#pragma once

#include <vector>

#include "reference/certified/operands.hpp"
#include "reference/certified/unrounded.hpp"

namespace dca::certified {

/// One query row: p_ij = exp(s_ij) 2^-exponent inverse, dS_ij = p_ij (dO_i v_j - delta). Errors as in
/// docs/certified.md.
struct RowFacts {
    bool one_key = false;  ///< p = 1 and dS = 0 exactly
    double exponent = 0;
    double inverse_hi = 0, inverse_lo = 0;  ///< 1 / sum_j exp(s_ij) 2^-exponent
    double delta_hi = 0, delta_lo = 0;
    double p_error = 0;           ///< of p_ij, relative to it
    double dp_largest = 0;        ///< at least |dO_i v_j| for every j, and |delta|
    double difference_error = 0;  ///< of dO_i v_j - delta, but for what the errors of p do to delta
    double weight_error = 0;      ///< relative, of p_ij before normalisation: what they do is this times sum |dS_ij|
};

/// Facts of the rows of one sequence, by row, for one query head.
using HeadFacts = std::vector<RowFacts>;

/// Attends one query tile of one head to every key it sees. facts: of this head, filled for the tile's rows; the
/// backward members only where inputs.dout is present.
void forward_tile(const Context& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
                  Unrounded& results, HeadFacts& facts);

/// Upper bound of |s - exact| where |q~| |k~| <= magnitude.
[[nodiscard]] double score_error(int dim, double magnitude);
/// Upper bound of |dO_i . v_j - exact| where |dO_i| |v_j| <= magnitude.
[[nodiscard]] double dp_error(int dim_v, double magnitude);

}  // namespace dca::certified
