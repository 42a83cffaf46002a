// Products of a warp in the fragments of mma.m16n8k16. With g = lane / 4 and t = lane % 4 a lane holds, of an
// accumulator of 16 rows and 8 columns, columns 2t and 2t + 1 of row g (elements 0, 1) and of row g + 8 (elements 2,
// 3).
#pragma once

#include "gpu/tile/shared_tile.hpp"

namespace dca::gpu {

/// `Atoms` times 16 rows, `Blocks` times 8 columns.
template <int Atoms, int Blocks>
struct Accumulator {
    float at[Atoms][Blocks][4];
};

template <int Atoms, int Blocks>
DCA_DEVICE void clear(Accumulator<Atoms, Blocks>& c) {
    DCA_UNROLL
    for (int atom = 0; atom < Atoms; ++atom) {
        DCA_UNROLL
        for (int block = 0; block < Blocks; ++block) {
            DCA_UNROLL
            for (int e = 0; e < 4; ++e) c.at[atom][block][e] = 0.0f;
        }
    }
}

/// Blocks of columns of a right operand that are in registers at once: more hide more latency, and do not fit.
inline constexpr int right_blocks = 4;

// Where a lane's row of the first matrices lies: lanes 0 .. 31 name the rows of four 8 x 8 matrices.

/// Rows 0 .. 15 of 16 channels as a left operand, or as the rows summed over by a right operand.
template <class M, class Tile>
DCA_DEVICE SharedAddress rows_then_channels(Tile tile) {
    const std::uint32_t lane = M::lane();
    return tile.at(lane % 16, lane / 16);
}
/// The same as the columns of a right operand.
template <class M, class Tile>
DCA_DEVICE SharedAddress channels_then_rows(Tile tile) {
    const std::uint32_t lane = M::lane();
    return tile.at(lane / 16 * 8 + lane % 8, lane / 8 % 2);
}

/// Two neighbouring blocks of a right operand.
template <class M, bool Transposed>
DCA_DEVICE void load_right(std::uint32_t (*b)[2], SharedAddress row) {
    std::uint32_t four[4];
    if constexpr (Transposed) {
        M::load_matrix_x4_trans(four, row);
    } else {
        M::load_matrix_x4(four, row);
    }
    b[0][0] = four[0], b[0][1] = four[1], b[1][0] = four[2], b[1][1] = four[3];
}

/// c = q k^T: rows from `row` on, a multiple of 16, of q against all rows of k.
template <class M, class Element, int Atoms, class QTile, class KTile>
DCA_DEVICE void multiply_transposed(Accumulator<Atoms, KTile::rows / 8>& c, QTile q, int row, KTile k) {
    const SharedAddress left = rows_then_channels<M>(q) + static_cast<std::uint32_t>(128 * row);
    const SharedAddress right = channels_then_rows<M>(k);
    clear(c);
    DCA_UNROLL
    for (int i = 0; i < QTile::channels / 16; ++i) {
        // Panels innermost: their addresses differ by a constant, so fewer of them are alive at once.
        constexpr int panels = QTile::channels / 64;
        const int step = i / panels + i % panels * 4;
        std::uint32_t a[Atoms][4];
        DCA_UNROLL
        for (int atom = 0; atom < Atoms; ++atom) M::load_matrix_x4(a[atom], QTile::step(left, 2 * atom, step));
        DCA_UNROLL
        for (int block = 0; block < KTile::rows / 8; block += right_blocks) {
            std::uint32_t b[right_blocks][2];
            DCA_UNROLL
            for (int pair = 0; pair < right_blocks / 2; ++pair)
                load_right<M, false>(b + 2 * pair, KTile::step(right, block + 2 * pair, step));
            DCA_UNROLL
            for (int atom = 0; atom < Atoms; ++atom)
                M::template mma<Element, right_blocks>(c.at[atom] + block, a[atom], b);
        }
    }
}

/// c += a v with keys 16 step .. 16 step + 15: a has them as columns, v as rows.
template <class M, class Element, int Atoms, class VTile>
DCA_DEVICE void multiply_add(Accumulator<Atoms, VTile::channels / 8>& c, const std::uint32_t (&a)[Atoms][4], VTile v,
                             int step) {
    const SharedAddress right = rows_then_channels<M>(v);
    DCA_UNROLL
    for (int block = 0; block < VTile::channels / 8; block += right_blocks) {
        std::uint32_t b[right_blocks][2];
        DCA_UNROLL
        for (int pair = 0; pair < right_blocks / 2; ++pair)
            load_right<M, true>(b + 2 * pair, VTile::step(right, 2 * step, block / 2 + pair));
        DCA_UNROLL
        for (int atom = 0; atom < Atoms; ++atom) M::template mma<Element, right_blocks>(c.at[atom] + block, a[atom], b);
    }
}

}  // namespace dca::gpu
