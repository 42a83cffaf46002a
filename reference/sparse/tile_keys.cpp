#include "reference/sparse/tile_keys.hpp"

#include <algorithm>

#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

/// Unaligned ranges of whole blocks that cover the slashes of a tile, in ascending order, not cut at the last key.
std::vector<KeyRange> slash_ranges(const ModeLists& lists, std::int64_t start, std::int64_t block) {
    const std::int64_t edge = lists.base() + start + block;  // where slash 0 leaves the tile, its last row not cut off
    // Slashes that left the keys before this tile are passed over, but the last of all is looked at in any case.
    auto slash = std::find_if(lists.slash.begin(), lists.slash.end() - 1, [&](std::int64_t s) { return s < edge; });
    std::vector<KeyRange> out;
    if (*slash > edge) return out;
    for (bool first = true; slash != lists.slash.end(); ++slash, first = false) {
        const std::int64_t end = std::max(edge - *slash, block);
        if (first || end > out.back().end + block) {
            out.push_back({end - block, end});
        } else if (end > out.back().end) {
            out.back().end += block;  // a whole block, whatever part of it the slash needs (H57)
        }
    }
    return out;
}

}  // namespace

TileKeys tile_keys(const ModeLists& lists, std::int64_t start, std::int64_t block) {
    expects(!lists.slash.empty(), "tile_keys: a mode without slashes");
    const std::vector<KeyRange> ranges = slash_ranges(lists, start, block);
    // In intra nothing right of the last range is looked at; without a range, nothing right of the diagonal.
    const bool causal = lists.mode == Mode::intra;
    const std::int64_t reach = !causal          ? lists.key_count
                               : ranges.empty() ? lists.base() + start + block
                                                : ranges.back().end;
    TileKeys out;
    auto range = ranges.begin();
    for (std::int64_t key : lists.vertical) {
        if (key >= reach) break;
        while (range != ranges.end() && range->end <= key) ++range;
        if (range == ranges.end() || key < range->begin) out.columns.push_back(key);
    }
    for (const KeyRange& one : ranges) {
        if (one.begin < lists.key_count) out.ranges.push_back({one.begin, std::min(one.end, lists.key_count)});
    }
    return out;
}

TileKeys dense_keys(const ModeLists& lists) {
    return {{{0, lists.key_count}}, {}};
}

std::vector<std::int64_t> TileKeys::keys() const {
    std::vector<std::int64_t> out = columns;
    for (const KeyRange& range : ranges) {
        for (std::int64_t key = range.begin; key < range.end; ++key) out.push_back(key);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::int64_t visible_keys(const ModeLists& lists, std::int64_t m) {
    return lists.mode == Mode::intra ? lists.base() + m + 1 : lists.key_count;
}

}  // namespace dca::sparse
