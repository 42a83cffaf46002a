// Which query rows share a tile, which keys they see, and at which rotary positions everything stands (Def.2, 3, 12).
// Positions are 64-bit integers here; a kernel never sees one.
#pragma once

#include <cstdint>
#include <vector>

#include "gpu/host/plan.hpp"

namespace dca::gpu::host {

/// One sequence of a problem: its rows in the tensors and the absolute index of its first query.
struct Sequence {
    std::int64_t row = 0;  ///< in q and, packed, in k
    std::int64_t queries = 0, keys = 0;
    std::int64_t offset = 0;
};

/// The sequences of a batch entry; an empty one is left out.
[[nodiscard]] std::vector<Sequence> sequences(const Problem& problem);

/// A query tile before its positions have rows in a table. `tile` lacks its angles.
struct PlacedQueryTile {
    QueryTile tile{};
    std::int64_t intra = 0;  ///< position of row 0 for its own chunk; one more for each row
    std::int64_t succ = 0;   ///< of row 0 for the chunk before; one more for each row up to succ_count rows
    std::int64_t succ_count = 1;
    std::int64_t inter = 0;  ///< of every row
};

struct PlacedKeyTile {
    KeyTile tile{};
    std::int64_t position = 0;
};

/// Query tiles of one sequence. Borders lie at multiples of `height` from chunk starts, so that a prompt in pieces has
/// the tiles of the whole one; rows before every key have tiles of their own.
[[nodiscard]] std::vector<PlacedQueryTile> query_tiles(const Sequence& sequence, const ChunkConfig& chunk,
                                                       std::int64_t height);

/// How many those are, without making them.
[[nodiscard]] std::int64_t query_tile_count(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t height);

/// Key tiles of one sequence: all its keys, seen or not, cut at chunk starts.
[[nodiscard]] std::vector<PlacedKeyTile> key_tiles(const Sequence& sequence, const ChunkConfig& chunk,
                                                   std::int64_t height);

}  // namespace dca::gpu::host
