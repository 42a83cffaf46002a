// The sizes that the f64 forward kernel is compiled for (gpu/kernels/forward_f64_body.hpp): read by the host, which
// cuts the problem into these tiles, and by the kernel.
#pragma once

#include <cstdint>

namespace dca::gpu {

/// One block: four warps of 16 query rows each. HeadDim is what head_dim and head_dim_v are padded up to.
template <int HeadDim>
struct TileConfigF64 {
    static_assert(HeadDim == 64 || HeadDim == 128);
    static constexpr int queries = 64;  ///< rows of a query tile
    static constexpr int keys = 32;     ///< rows of a key tile
    static constexpr int threads = 128;
    static constexpr int head_dim = HeadDim;
    static constexpr int stages = 2;  ///< key tiles in shared memory: one in use, one on its way

    /// Doubles per row in shared memory. Rows that are 2 mod 4 doubles apart put the 16-byte accesses of eight lanes,
    /// two rows of four or four pairs of rows, into different banks.
    static constexpr int row = HeadDim + 2;
    static constexpr std::uint32_t row_bytes = row * 8;
    static constexpr std::uint32_t query_bytes = queries * row_bytes;
    static constexpr std::uint32_t key_bytes = keys * row_bytes;  ///< of k or v
    static constexpr std::uint32_t shared_bytes = query_bytes + stages * 2 * key_bytes;
};

/// What of TileConfigF64 the host needs, as values.
struct TileSizesF64 {
    int queries, keys, threads, head_dim;
    std::uint32_t shared_bytes;
};

template <class Config>
inline constexpr TileSizesF64 tile_sizes_f64{Config::queries, Config::keys, Config::threads, Config::head_dim,
                                             Config::shared_bytes};

/// The tiles for the larger of head_dim and head_dim_v. Precondition: 1 <= widest <= 128.
[[nodiscard]] constexpr TileSizesF64 tile_config_f64(int widest) {
    return widest <= 64 ? tile_sizes_f64<TileConfigF64<64>> : tile_sizes_f64<TileConfigF64<128>>;
}

// 227 KiB: the most shared memory a block of sm_90 can have.
static_assert(TileConfigF64<128>::shared_bytes <= 227 * 1024 && TileConfigF64<64>::shared_bytes <= 227 * 1024 / 2);

}  // namespace dca::gpu
