// Asynchronous copies of whole tiles from global to shared memory by all threads of a block.
#pragma once

#include "gpu/tile/shared_tile.hpp"

namespace dca::gpu {

/// Rows first .. first + rows - 1 become rows 0 .. of the tile; further rows, and vectors that begin at or after
/// `channels`, become zero. `first` is the element where the first row begins.
template <class M, int Threads, int Rows, int Channels>
DCA_DEVICE void copy_tile(SharedTile<Rows, Channels> to, Global<const std::uint16_t> from, std::int64_t first,
                          std::int64_t row_stride, int rows, int channels) {
    using Tile = SharedTile<Rows, Channels>;
    constexpr int step = Threads / Tile::vectors;  // rows copied at once
    static_assert(Threads % Tile::vectors == 0 && Rows % step == 0 && step % 8 == 0);
    const std::uint32_t thread = M::thread(), vector = thread % Tile::vectors, row = thread / Tile::vectors;
    const bool inside = 8 * vector < static_cast<std::uint32_t>(channels);
    std::int64_t source = first + row * row_stride + 8 * vector;
    const SharedAddress target = to.at(row, vector);
    DCA_UNROLL
    for (int i = 0; i < Rows / step; ++i) {
        M::copy_async(target + static_cast<std::uint32_t>(i * step * 128), from, source,
                      inside && row + i * step < static_cast<std::uint32_t>(rows));
        source += step * row_stride;
    }
}

}  // namespace dca::gpu
