// The pre-pass: rows of k turned once by their own positions, into dense rows padded with zeros; with Pairing::none a
// padded copy. Grid: (tiles, heads, batch), rotate_threads threads, no shared memory.
#pragma once

#include "gpu/api/tile_config.hpp"
#include "gpu/kernels/rotation.hpp"

namespace dca::gpu {

template <class M, class Element>
DCA_DEVICE void rotate_body(const RotateParams<Storage<Element>, Real<Element>>& p) {
    const Index3 block = M::block();
    const KeyTile tile = M::load(p.tiles, block.x);
    const Rotation<M, Element> rotation(p.in, p.stride, p.angles, p.head_dim, p.rotary_dim, p.pairing, 1);
    const std::int64_t in = block.z * p.stride.batch + tile.row * p.stride.row + block.y * p.stride.head;
    const std::int64_t out_row = static_cast<std::int64_t>(p.heads) * p.padded;
    const std::int64_t out = (block.z * p.rows + tile.row) * out_row + static_cast<std::int64_t>(block.y) * p.padded;

    constexpr int at_once = sizeof(Storage<Element>) == 2 ? 8 : 1;  // channels of one item of work
    const int items = p.padded / at_once;
    for (int i = M::thread(); i < tile.rows * items; i += rotate_threads) {
        const int row = i / items, c = i % items * at_once;
        const std::int64_t from = in + row * p.stride.row, angle = static_cast<std::int64_t>(tile.angle) + row;
        if constexpr (at_once == 8) {
            M::store_vector(p.out, out + row * out_row + c, rotation.eight_channels(from, angle, c));
        } else {
            M::store(p.out, out + row * out_row + c, narrow<M, Element>(rotation.channel(from, angle, c)));
        }
    }
}

}  // namespace dca::gpu
