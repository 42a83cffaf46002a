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
        for (int atom = 0; atom < Atoms; ++atom) {
            DCA_UNROLL
            for (int half = 0; half < 2; ++half) maximum[atom][half] = minus_infinity, sum[atom][half] = 0.0f;
        }
    }
    /// What logits are compared with: a row without keys so far has weights 2^(-inf - 0) = 0.
    DCA_DEVICE float shift(int atom, int half) const {
        return maximum[atom][half] == minus_infinity ? 0.0f : maximum[atom][half];
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

/// Maxima take in the logits of a tile, not yet scaled; sums and output move to the new maxima.
template <class M, int Atoms, int KeyBlocks, int ChannelBlocks>
DCA_DEVICE void raise_maxima(SoftmaxRows<Atoms>& rows, Accumulator<Atoms, ChannelBlocks>& output,
                             const Accumulator<Atoms, KeyBlocks>& s, float scale) {
    float shrink[Atoms][2];
    bool moved = false;
    DCA_UNROLL
    for (int atom = 0; atom < Atoms; ++atom) {
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) {
            float largest = minus_infinity;
            DCA_UNROLL
            for (int block = 0; block < KeyBlocks; ++block)
                largest = M::max(largest, M::max(s.at[atom][block][2 * half], s.at[atom][block][2 * half + 1]));
            const float before = rows.maximum[atom][half];
            rows.maximum[atom][half] = M::max(before, quad_max<M>(largest) * scale);
            shrink[atom][half] = M::exp2(before - rows.shift(atom, half));
            moved |= shrink[atom][half] != 1.0f;
        }
    }
    // Maxima seldom rise after the first tiles.
    if (!M::any(moved)) return;
    DCA_UNROLL
    for (int atom = 0; atom < Atoms; ++atom) {
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) {
            rows.sum[atom][half] *= shrink[atom][half];
            DCA_UNROLL
            for (int block = 0; block < ChannelBlocks; ++block) {
                output.at[atom][block][2 * half] *= shrink[atom][half];
                output.at[atom][block][2 * half + 1] *= shrink[atom][half];
            }
        }
    }
}

/// Weights p = 2^(scale s - maximum) of keys 16 step .. 16 step + 15, rounded to elements: an accumulator's lane holds
/// just what a left operand's lane must. The sums are of p before it is rounded.
template <class M, class Element, int Atoms, int KeyBlocks>
DCA_DEVICE void weigh(std::uint32_t (&p)[Atoms][4], SoftmaxRows<Atoms>& rows, const Accumulator<Atoms, KeyBlocks>& s,
                      float scale, int step) {
    DCA_UNROLL
    for (int atom = 0; atom < Atoms; ++atom) {
        DCA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const int half = i % 2;
            const float(&logits)[4] = s.at[atom][2 * step + i / 2];
            const float left = M::exp2(M::fma(logits[2 * half], scale, -rows.shift(atom, half)));
            const float right = M::exp2(M::fma(logits[2 * half + 1], scale, -rows.shift(atom, half)));
            rows.sum[atom][half] += left + right;
            p[atom][i] = M::template pack<Element>(left, right);
        }
    }
}

}  // namespace dca::gpu
