// The tile sizes that kernels are compiled for: one table, read by kernels as template arguments and by the plan as
// numbers. The reasons for the sizes: docs/kernels.md.
#pragma once

#include <cstdint>

namespace dca::gpu {

/// One forward kernel of 16-bit elements. A warp owns `atoms` times 16 query rows and all channels of their output.
struct ForwardTile {
    int head_dim;       ///< of q, k, v in shared memory: the problem's, padded up
    int queries, keys;  ///< rows of a query tile and of a key tile
    int threads;        ///< of a block: 32 for every 16 * atoms query rows
    int atoms;          ///< 16-row blocks of a warp; two halve the reads of k and v from shared memory
    int stages;         ///< key tiles in shared memory: one computed with, the others on their way
    int shared_bytes;   ///< q, and k and v of every stage
    int blocks_per_sm;  ///< what the registers must allow
};

constexpr ForwardTile forward_tile(int head_dim, int queries, int keys, int atoms, int blocks_per_sm) {
    const int stages = 2, row = 2 * head_dim;
    return {
        head_dim,     queries, keys, queries / (16 * atoms) * 32, atoms, stages, row * (queries + 2 * stages * keys),
        blocks_per_sm};
}

/// Ascending in head_dim; the wide tile of a head_dim is followed by the narrow one, for chunks shorter than a wide
/// tile.
inline constexpr ForwardTile forward_tiles[] = {
    forward_tile(64, 128, 64, 2, 3),
    forward_tile(64, 64, 64, 1, 3),
    forward_tile(128, 128, 64, 2, 2),
    forward_tile(128, 64, 64, 1, 2),
};
inline constexpr int forward_tile_count = sizeof(forward_tiles) / sizeof(forward_tiles[0]);

/// Index into forward_tiles of the kernel for heads of at most `head_dim` channels (of q and of v) and runs of
/// `rows` query rows at most (the chunk length, or all rows where they are fewer); -1 where heads are too wide.
constexpr int find_forward_tile(int head_dim, std::int64_t rows) {
    for (int i = 0; i + 1 < forward_tile_count; i += 2)
        if (head_dim <= forward_tiles[i].head_dim) return rows <= forward_tiles[i + 1].queries ? i + 1 : i;
    return -1;
}

/// Threads of a block of the rotation pre-pass, and the rows of its tiles.
inline constexpr int rotate_threads = 128, rotate_rows = 64;

}  // namespace dca::gpu
