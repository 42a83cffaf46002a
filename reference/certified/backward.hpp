// dq of one query tile and dk, dv of one kv head in double-doubles, from what forward_tile said of the rows.
#pragma once

#include <vector>

#include "reference/certified/forward.hpp"

namespace dca::certified {

/// Adds to difference_error what it left out.
/// Precondition: inputs.dout is present and `facts` were filled for the rows of the tile.
void backward_queries(const Context& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
                      HeadFacts& facts, Bounded<4>& dq);

/// dk and dv of one kv head. facts: one for each query head of its group.
void backward_keys(const Context& context, const KeyOperands& keys, const std::vector<QueryTile>& tiles,
                   std::int64_t kv_head, const std::vector<HeadFacts>& facts, Bounded<4>& dk, Bounded<4>& dv);

}  // namespace dca::certified
