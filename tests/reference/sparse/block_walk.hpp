// The attended set of a tile, found the way the published index builder goes about it: one walk over verticals and
// slashes together, one step at a time. The project's own code instead builds all ranges first.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace dca::sparse_test {

struct Walk {
    bool causal;              ///< intra
    std::int64_t keys, rows;  ///< of the mode, of the segment
    std::int64_t tile_start, block;
    std::vector<std::int64_t> vertical;  ///< ascending
    std::vector<std::int64_t> slash;     ///< descending, not empty
};

/// Local keys of the tile before the causal mask. Throws std::logic_error if a key would be emitted twice.
[[nodiscard]] std::set<std::int64_t> walk(const Walk& input);

}  // namespace dca::sparse_test
