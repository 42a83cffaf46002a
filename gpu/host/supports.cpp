// What the kernels can compute. Each reason is one clause that a report can print after "skipped: ".
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "gpu/api/tile_config.hpp"
#include "gpu/api/tile_config_f64.hpp"
#include "gpu/host/frequencies.hpp"
#include "gpu/host/plan.hpp"
#include "gpu/host/tiles.hpp"

namespace dca::gpu::host {
namespace {

constexpr std::int64_t widest_head = 128;
/// Rows, with a tile more, are 32-bit numbers in QueryTile.
constexpr std::int64_t most_rows = std::numeric_limits<std::int32_t>::max() - 1024;
/// blockIdx.y and .z of CUDA devices.
constexpr std::int64_t most_blocks = 65535;

std::string text(std::string_view view) {
    return std::string(view);
}

/// Finite and not below the normal numbers of float, which kernels may flush; 0 is fine.
bool fits_float(double value) {
    const double magnitude = std::abs(value);
    return value == 0 || (magnitude >= std::numeric_limits<float>::min() &&
                          magnitude <= static_cast<double>(std::numeric_limits<float>::max()));
}

std::string wrong_types(const Problem& problem) {
    const Dtype dtype = problem.dtype;
    if (dtype != Dtype::f64 && dtype != Dtype::bf16 && dtype != Dtype::f16) {
        return "the kernels read bf16, f16 and f64, not " + text(name(dtype));
    }
    const Dtype sums = dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    const auto unlike = [&](const char* what, Dtype asked, Dtype have) {
        return asked == have ? std::string()
                             : "the kernels keep " + text(what) + " of " + text(name(dtype)) + " in " +
                                   text(name(have)) + ", not in " + text(name(asked));
    };
    for (const std::string& reason :
         {unlike("p", problem.resolved_p_dtype(), dtype), unlike("sums", problem.resolved_accumulator(), sums),
          unlike("out", problem.resolved_output_dtype(), dtype)}) {
        if (!reason.empty()) return reason;
    }
    return {};
}

std::string wrong_shape(const Shape& shape) {
    const auto above = [](const char* what, std::int64_t value, std::int64_t limit) {
        return value <= limit
                   ? std::string()
                   : text(what) + " " + std::to_string(value) + " is above the kernels' " + std::to_string(limit);
    };
    for (const std::string& reason :
         {above("head_dim", shape.head_dim, widest_head), above("head_dim_v", shape.head_dim_v, widest_head),
          above("seq_q", shape.seq_q, most_rows), above("seq_k", shape.seq_k, most_rows),
          above("batch", shape.batch, most_blocks), above("heads_q", shape.heads_q, most_blocks)}) {
        if (!reason.empty()) return reason;
    }
    return {};
}

/// The forward kernels' blockIdx.y counts query tiles.
std::string too_many_tiles(const Problem& problem) {
    const int height = tile_shape(problem).queries;
    std::int64_t tiles = 0;
    for (const Sequence& sequence : sequences(problem)) tiles += query_tile_count(sequence, problem.chunk, height);
    return tiles <= most_blocks ? std::string()
                                : std::to_string(tiles) + " query tiles are above the kernels' " +
                                      std::to_string(most_blocks) + "; longer chunks or a part of the rows have fewer";
}

std::string wrong_numbers(const Problem& problem) {
    if (problem.dtype != Dtype::f64) {
        const double scale = kernel_scale(problem).scale * log2_e;
        if (!fits_float(scale)) return "softmax_scale is out of the range of float, in which the kernels multiply";
    }
    if (problem.rope.layout == RopeLayout::none) return {};
    const double factor = length_factor(problem.rope);
    if (problem.dtype != Dtype::f64 && !fits_float(factor)) return "mscale is out of the range of float";
    const double farthest = static_cast<double>(problem.chunk.chunk_size);
    for (const double frequency : inverse_frequencies(problem, 0)) {  // `dynamic` slows them as keys grow
        if (!std::isfinite(farthest * frequency)) return "chunk_size times inv_freq is out of the range of double";
    }
    return {};
}

}  // namespace

Scale kernel_scale(const Problem& problem) {
    const double scale = problem.resolved_softmax_scale();
    if (scale == 0) return {1, 0};  // every logit is 0: q is, and no masked logit is multiplied by 0
    return {std::abs(scale), scale < 0 ? -1.0 : 1.0};
}

Support supports(const Problem& problem) {
    if (problem.dialect != "exact") return {"the kernels compute the dialect exact alone"};
    if (problem.sparse_prefill()) return {"the kernels compute no sparse prefill"};
    for (const std::string& reason : {wrong_types(problem), wrong_shape(problem.shape), wrong_numbers(problem)}) {
        if (!reason.empty()) return {reason};
    }
    return {too_many_tiles(problem)};
}

TileShape tile_shape(const Problem& problem) {
    const int widest = static_cast<int>(std::max(problem.shape.head_dim, problem.shape.head_dim_v));
    if (problem.dtype == Dtype::f64) {
        const TileSizesF64 sizes = tile_config_f64(widest);
        return {sizes.queries, sizes.keys, sizes.threads, sizes.head_dim, static_cast<int>(sizes.shared_bytes), 0};
    }
    std::int64_t longest = 0;
    for (const Sequence& sequence : sequences(problem)) longest = std::max(longest, sequence.queries);
    const int kernel = find_forward_tile(widest, std::min(problem.chunk.chunk_len(), longest));
    const ForwardTile& tile = forward_tiles[kernel];
    return {tile.queries, tile.keys, tile.threads, tile.head_dim, tile.shared_bytes, kernel};
}

}  // namespace dca::gpu::host
