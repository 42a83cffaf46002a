// The softmax of rows whose logits arrive tile by tile, in base 2: a running maximum, and a sum and an output relative
// to it. Every row is shared by the four lanes of a quad.
#pragma once

#include "gpu/tile/fragments.hpp"

namespace dca::gpu {

inline constexpr float minus_infinity = -__builtin_huge_valf();

template <int Atoms>
struct SoftmaxRows {
    float maximum[Atoms][2];  ///< of logits times scale: rows g and g + 8 of every atom; -inf before the first key
    float sum[Atoms][2];      ///< of the lane's own columns; the quad's sum is taken once, at the end

    DCA_DEVICE void start() {
        DCA_UNROLL
        for (int atom = 0; atom < Atoms; ++atom) DCA_UNROLL
        for (int half = 0; half < 2; ++half) maximum[atom][half] = minus_infinity, sum[atom][half] = 0.0f;
    }
};

/// Of the four lanes of a quad.
template <class M>
DCA_DEVICE float quad_max(float x) {
    x = M::max(x, M::shuffle_xor(x, 1));
    return M::max(x, M::shuffle_xor(x, 2));
}
template <class M>
DCA_DEVICE float quad_sum(float x) {
    x = x + M::shuffle_xor(x, 1);
    return x + M::shuffle_xor(x, 2);
}

/// Weights p = 2^(scale s - maximum) of logits s, rounded to elements; sum and output move to the new maximum. The sum
/// is of p before it is rounded. A row that has seen no key keeps maximum -inf and sum 0.
template <class M, class Element, int Atoms, int KeyBlocks, int ChannelBlocks>
DCA_DEVICE void absorb(SoftmaxRows<Atoms>& rows, Accumulator<Atoms, ChannelBlocks>& output,
                       const Accumulator<Atoms, KeyBlocks>& s, float scale, PackedRows<Atoms, KeyBlocks>& p) {
    DCA_UNROLL
    for (int atom = 0; atom < Atoms; ++atom) DCA_UNROLL
    for (int half = 0; half < 2; ++half) {
        float largest = minus_infinity;
        DCA_UNROLL
        for (int block = 0; block < KeyBlocks; ++block)
            largest = M::max(largest, M::max(s.at[atom][block][2 * half], s.at[atom][block][2 * half + 1]));
        const float before = rows.maximum[atom][half];
        const float now = M::max(before, quad_max<M>(largest) * scale);
        const float shift = now == minus_infinity ? 0.0f : now;
        const float shrink = M::exp2(before - shift);
        rows.maximum[atom][half] = now;
        float sum = rows.sum[atom][half] * shrink;
        DCA_UNROLL
        for (int block = 0; block < KeyBlocks; ++block) {
            const float left = M::exp2(M::fma(s.at[atom][block][2 * half], scale, -shift));
            const float right = M::exp2(M::fma(s.at[atom][block][2 * half + 1], scale, -shift));
            sum += left + right;
            p.at[atom][block][half] = M::template pack<Element>(left, right);
        }
        rows.sum[atom][half] = sum;
        DCA_UNROLL
        for (int block = 0; block < ChannelBlocks; ++block) {
            output.at[atom][block][2 * half] *= shrink;
            output.at[atom][block][2 * half + 1] *= shrink;
        }
    }
}

}  // namespace dca::gpu
