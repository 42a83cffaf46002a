// The order in which a block visits its key tiles: from the diagonal leftward through intra, succ and inter keys. Tiles
// are anchored at the start of each range, so the last tile of a range, visited first, is the partial one.
#pragma once

#include "gpu/api/kernel_params.hpp"

namespace dca::gpu {

struct KeyRange {
    int begin, end;
};

/// A key tile, in the few registers that the loop over tiles can spare. What changes with the range alone is read again
/// from the query tile.
struct KeyWalk {
    static constexpr int intra = 0, succ = 1, inter = 2, none = 3;

    int mode;   ///< of the tile; none past the last
    int left;   ///< keys of the range before the tile
    int row;    ///< of the tile's first key in k and v
    int clear;  ///< keys from the tile's first on that every row of the query tile sees

    static DCA_DEVICE KeyRange range(const QueryTile& t, int mode) {
        return mode == intra  ? KeyRange{t.succ_end, t.intra_end}
               : mode == succ ? KeyRange{t.inter_end, t.succ_end}
                              : KeyRange{0, t.inter_end};
    }

    /// Goes on to the next tile; a walk begins with mode -1 and left 0. Returns the keys in the tile.
    template <class M, int Keys>
    DCA_DEVICE int advance(Global<const QueryTile> tiles, int tile, std::uint32_t modes) {
        if (left > 0) {
            left -= Keys, row -= Keys, clear += Keys;
            return Keys;
        }
        const QueryTile t = M::load(tiles, tile);
        while (++mode < none) {
            const KeyRange r = range(t, mode);
            if (r.begin >= r.end || (modes >> mode & 1) == 0) continue;
            left = (r.end - 1 - r.begin) / Keys * Keys;
            const int key = r.begin + left;
            row = t.key_row + key;
            clear = (r.end <= t.diagonal ? r.end : t.diagonal + 1) - key;
            return r.end - key;
        }
        return 0;
    }
};
static_assert(mode_intra == 1u << KeyWalk::intra && mode_succ == 1u << KeyWalk::succ &&
              mode_inter == 1u << KeyWalk::inter);

}  // namespace dca::gpu
