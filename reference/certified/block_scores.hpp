// p and dS of one block of a query tile and a key tile, for the two passes of the backward.
#pragma once

#include "reference/certified/forward.hpp"

namespace dca::certified {

/// dout of a tile's rows, packed.
struct DoutOperands {
    DoutOperands(const Context& context, const QueryTile& tile, std::int64_t head, bool for_keys);
    AlignedBuffer left, right;
};

/// dS lacks the softmax scale. Masked elements are 0.
struct BlockScores {
    explicit BlockScores(int rows);
    void compute(const Context& context, const KeyOperands& keys, const QueryOperands& q, const DoutOperands& dout,
                 const QueryTile& tile, const KeySpan& span, const KeyBlock& block, const HeadFacts& facts);

    int padded_rows;
    Buffer p, ds;               ///< rows x key_tile_columns
    std::vector<double> total;  ///< sum_j |dS_ij| of each row, rounded

private:
    std::vector<double> score_bias_, dp_bias_;
};

}  // namespace dca::certified
