// Tiles of 16-bit elements in shared memory: panels of 64 channels, 128 bytes a row, in which the 16-byte vectors of
// row r change places by exclusive or with r mod 8. Eight rows of one vector column then lie in all 32 banks, so
// neither ldmatrix nor copies conflict. The same layout is the 128-byte swizzle of TMA and wgmma, hence its alignment.
#pragma once

#include "gpu/machine/types.hpp"

namespace dca::gpu {

template <int Rows, int Channels>
struct SharedTile {
    static_assert(Rows % 8 == 0 && Channels % 64 == 0);
    static constexpr int rows = Rows, channels = Channels, vectors = Channels / 8;
    static constexpr std::uint32_t bytes = 2 * Rows * Channels;

    SharedAddress base;  ///< a multiple of 1024 bytes

    /// Of the 16 bytes that hold channels 8 vector .. 8 vector + 7 of a row.
    DCA_DEVICE SharedAddress at(std::uint32_t row, std::uint32_t vector) const {
        return base + (vector / 8 * (Rows * 128) + row * 128 + (vector ^ row) % 8 * 16);
    }

    /// From at(row, vector) to at(row + 8 octets, vector + 2 pairs), where vector is 0 or 1: one exclusive or, and a
    /// sum that is known at compile time and becomes part of the instruction.
    static DCA_DEVICE SharedAddress step(SharedAddress from, int octets, int pairs) {
        return SharedAddress{from.byte ^ static_cast<std::uint32_t>(pairs % 4 * 32)} +
               static_cast<std::uint32_t>(pairs / 4 * (Rows * 128) + octets * 1024);
    }
};

}  // namespace dca::gpu
