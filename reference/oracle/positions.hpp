// The oracle's view of positions (Def.2, Def.3, Def.11, Def.12): one relative position per visible pair, formed from
// where the key's chunk starts. No absolute rotary positions appear, so no map can be wrong in the same way as the
// reference's. Exact integer arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/index.hpp"
#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"

namespace dca::oracle {

/// The distance M_ij that RoPE sees between a query and a key; 0 <= M <= min(C, 2L - 1).
using RelativePosition = Index<struct RelativePositionTag>;

/// Causality: a query sees the keys up to its own index, none if that is negative.
[[nodiscard]] bool visible(QueryIndex i, KeyIndex j);

/// Precondition of both: the key is visible.
[[nodiscard]] Mode pair_mode(const ChunkConfig& chunk, QueryIndex i, KeyIndex j);
[[nodiscard]] RelativePosition relative_position(const ChunkConfig& chunk, QueryIndex i, KeyIndex j);

/// Tokens that attend to each other and to nothing else: rows [first_query, first_query + queries) of the query axis
/// and [first_key, first_key + keys) of the key axis. Row first_query has absolute index `offset` among these keys.
struct Sequence {
    std::int64_t batch = 0;
    std::int64_t first_query = 0, queries = 0;
    std::int64_t first_key = 0, keys = 0;
    std::int64_t offset = 0;

    /// Absolute index of the row-th query of the sequence.
    [[nodiscard]] QueryIndex query(std::int64_t row) const { return QueryIndex(offset + row); }
    /// How many keys, counted from the first, that query sees.
    [[nodiscard]] std::int64_t visible_keys(std::int64_t row) const;
};

/// One per batch entry or, packed, one per cu_seqlens interval (zero-length ones included).
[[nodiscard]] std::vector<Sequence> sequences(const Problem& problem);

}  // namespace dca::oracle
