// The keys that one tile of query rows attends to in one mode (V.7).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sparse/mode_lists.hpp"

namespace dca::sparse {

/// Local keys [begin, end).
struct KeyRange {
    std::int64_t begin, end;
    friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

/// Ranges and columns are ascending and disjoint; all within the keys of the mode. In intra a row still sees only what
/// is causal.
struct TileKeys {
    std::vector<KeyRange> ranges;       ///< from slashes, whole blocks but for the end of the mode
    std::vector<std::int64_t> columns;  ///< verticals outside the ranges
    /// All keys, ascending.
    [[nodiscard]] std::vector<std::int64_t> keys() const;
};

/// Keys of the tile of `block` rows that starts at row `start` of the segment. Precondition: lists.slash not empty.
[[nodiscard]] TileKeys tile_keys(const ModeLists& lists, std::int64_t start, std::int64_t block);

/// Every key of the mode: what a dense call attends to.
[[nodiscard]] TileKeys dense_keys(const ModeLists& lists);

/// Local keys that row m of the segment may see: all in succ and inter, up to itself in intra.
[[nodiscard]] std::int64_t visible_keys(const ModeLists& lists, std::int64_t m);

}  // namespace dca::sparse
