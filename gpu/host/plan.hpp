// What is worked out on the host before any kernel runs: tiles, the keys they see, the angles they need. Written apart
// from the reference: it shares the nouns of reference/spec and calls nothing of what judges it.
#pragma once

#include <string>
#include <vector>

#include "gpu/api/kernel_params.hpp"
#include "gpu/api/support.hpp"
#include "reference/spec/problem.hpp"

namespace dca::gpu::host {

/// Sizes a kernel is compiled for; chosen by dtype and head_dim.
struct TileShape {
    int queries;   ///< rows of a query tile
    int keys;      ///< rows of a key tile
    int threads;   ///< of a block
    int head_dim;  ///< both head_dim and head_dim_v are padded up to it
    int shared_bytes;
    int kernel;  ///< 16-bit elements: index into forward_tiles (gpu/api/tile_config.hpp)
};

/// Why the kernels cannot compute a problem, whatever the machine; empty where they can.
[[nodiscard]] Support supports(const Problem& problem);

/// Which kernel a problem gets. Precondition: supports(problem).
[[nodiscard]] TileShape tile_shape(const Problem& problem);

/// softmax_scale as ForwardParams takes it. sign is 0 where softmax_scale is, and scale then 1.
struct Scale {
    double scale = 1;  ///< > 0; times log2_e where Real is float
    double sign = 1;
};
inline constexpr double log2_e = 1.4426950408889634074;
[[nodiscard]] Scale kernel_scale(const Problem& problem);

struct Plan {
    TileShape shape;
    Scale scale;
    std::vector<QueryTile> query_tiles;  ///< most keys first
    std::vector<KeyTile> key_tiles;      ///< of at most rotate_rows rows
    std::vector<double> angles;  ///< angle_rows rows of rotary_dim / 2 pairs (mscale cos, mscale sin); empty: no rope
    std::int64_t angle_rows = 0;
    bool copy_v = false;  ///< v goes through a padded copy: its rows are no whole 16-byte vectors
};

/// Throws InvalidProblem like validate(), Unsupported where supports() says no. Memory: O(seq / tile + chunks) tiles
/// and O(min(chunk_size, seq)) rows of angles; packed sequences with frequencies of their own have rows of their own.
/// Tiles depend on the absolute index alone, so a prompt in pieces is cut as the whole one is (where both get the same
/// shape).
[[nodiscard]] Plan make_plan(const Problem& problem);

}  // namespace dca::gpu::host
