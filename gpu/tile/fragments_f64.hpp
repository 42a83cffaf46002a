// Fragments of mma.m16n8k16 in f64, read from rows of doubles in shared memory, 16 bytes at a time.
//
// A sum over k comes out the same whichever k a lane calls column 0, so long as both operands agree: they are free to
// number the 16 steps of k so that a lane's four are neighbours in memory, or are what the lane already holds. Likewise
// for the columns of a result. With lane = 4 g + t and j = 0 .. 3, where the manual has k = t + 4 j:
//
//     q k^T:  k stands for channel 4 t + j            so that a lane reads 32 bytes of a row
//     p v:    k stands for key 8 (j / 2) + 2 t + j % 2    which is where q k^T left p: no shuffles
//             column g of result block w, w = 0, 1, for channel 2 g + w    so that a lane reads 16 bytes of a row of v
#pragma once

#include <cstdint>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

struct alignas(16) Double2 {
    double value[2];
};

/// `row_bytes` apart, 2 mod 4 doubles: then no two lanes of a quarter warp meet in a bank.
template <std::uint32_t RowBytes>
struct RowsF64 {
    static_assert(RowBytes % 32 == 16);
    SharedAddress base;

    /// Element `column` of a row.
    DCA_DEVICE SharedAddress at(int row, int column) const {
        return base + (static_cast<std::uint32_t>(row) * RowBytes + static_cast<std::uint32_t>(column) * 8);
    }
};

/// Rows first .. first + 15 and columns column .. column + 15 as the left operand of q k^T.
template <class M, std::uint32_t RowBytes>
DCA_DEVICE void load_left_f64(double (&a)[8], RowsF64<RowBytes> rows, int first, int column) {
    const int group = M::lane() / 4, within = M::lane() % 4;
    DCA_UNROLL
    for (int half = 0; half < 2; ++half) {
        DCA_UNROLL
        for (int pair = 0; pair < 2; ++pair) {
            const auto x =
                M::template load_shared<Double2>(rows.at(first + 8 * half + group, column + 4 * within + 2 * pair));
            a[4 * pair + half] = x.value[0];      // j = 2 pair
            a[4 * pair + 2 + half] = x.value[1];  // j = 2 pair + 1
        }
    }
}

/// Columns column .. column + 15 of rows first .. first + 15 as two right operands of q k^T.
template <class M, std::uint32_t RowBytes>
DCA_DEVICE void load_right_transposed_f64(double (&b)[2][4], RowsF64<RowBytes> rows, int first, int column) {
    const int group = M::lane() / 4, within = M::lane() % 4;
    DCA_UNROLL
    for (int n = 0; n < 2; ++n) {
        DCA_UNROLL
        for (int pair = 0; pair < 2; ++pair) {
            const auto x =
                M::template load_shared<Double2>(rows.at(first + 8 * n + group, column + 4 * within + 2 * pair));
            b[n][2 * pair] = x.value[0];
            b[n][2 * pair + 1] = x.value[1];
        }
    }
}

/// The result blocks of 16 keys as the left operand of p v.
DCA_DEVICE void result_as_left_f64(double (&a)[8], const double (&low)[4], const double (&high)[4]) {
    DCA_UNROLL
    for (int j = 0; j < 4; ++j) {
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) a[2 * j + half] = (j < 2 ? low : high)[2 * half + j % 2];
    }
}

/// Keys key .. key + 15 and channels channel .. channel + 15 as two right operands of p v.
template <class M, std::uint32_t RowBytes>
DCA_DEVICE void load_right_f64(double (&b)[2][4], RowsF64<RowBytes> rows, int key, int channel) {
    const int group = M::lane() / 4, within = M::lane() % 4;
    DCA_UNROLL
    for (int j = 0; j < 4; ++j) {
        const auto x =
            M::template load_shared<Double2>(rows.at(key + 8 * (j / 2) + 2 * within + j % 2, channel + 2 * group));
        b[0][j] = x.value[0];
        b[1][j] = x.value[1];
    }
}

/// Of the result blocks 2 i and 2 i + 1 of p v, a lane has channels 16 i + 4 t .. 16 i + 4 t + 3 of rows g and g + 8.
/// Element `offset` of these four.
DCA_DEVICE double result_channel_f64(const double (&even)[4], const double (&odd)[4], int half, int offset) {
    return (offset % 2 == 0 ? even : odd)[2 * half + offset / 2];
}

}  // namespace dca::gpu
