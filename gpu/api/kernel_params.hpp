// What the kernels are told: pointers, strides, tiles. Plain values, the same for a GPU and for the emulated machine,
// made on the host (gpu/host/plan.hpp). Positions are worked out there, once per tile; a kernel adds a row number.
#pragma once

#include <cstdint>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

/// Element strides of a (batch, row, head, channel) tensor; channels are contiguous.
struct Strides {
    std::int64_t batch = 0, row = 0, head = 0;
};

/// Query rows of one chunk of one sequence, and the keys they see: inter keys [0, inter_end), succ keys
/// [inter_end, succ_end), intra keys [succ_end, intra_end), counted within the sequence; empty ranges have equal ends.
struct QueryTile {
    std::int32_t row, rows;  ///< first row in the batch entry's q; 1 .. tile height
    std::int32_t key_row;    ///< row of the sequence's key 0 in k and v
    std::int32_t inter_end, succ_end, intra_end;
    std::int32_t diagonal;     ///< row r of the tile sees keys up to and including diagonal + r; can exceed intra_end
    std::int32_t intra_angle;  ///< row of the angle table for row 0; row r reads intra_angle + r
    std::int32_t succ_angle;   ///< row r reads succ_angle + min(r, succ_angles - 1): P_succ stops growing at C
    std::int32_t succ_angles;
    std::int32_t inter_angle;  ///< one for all rows
};

/// Key rows at consecutive positions: row r reads angle + r.
struct KeyTile {
    std::int32_t row, rows;  ///< in the batch entry's k
    std::int32_t angle;
};

/// How pairs of channels are rotated (Def.4).
enum class Pairing : std::int32_t { none, neox, interleaved };

/// Real: float for 16-bit elements, double for f64. Element: std::uint16_t bits, or double.
template <class Element, class Real>
struct RotateParams {
    Global<const Element> in;   ///< (batch, seq_k, heads_kv, head_dim), strides of its own
    Global<Element> out;        ///< (batch, seq_k, heads_kv, padded), dense, channels from head_dim on are zero
    Global<const Real> angles;  ///< rows of rotary_dim / 2 pairs (mscale cos, mscale sin)
    Global<const KeyTile> tiles;
    Strides stride;
    std::int64_t rows;  ///< seq_k: what a batch entry of out holds
    std::int32_t heads, head_dim, padded, rotary_dim;
    Pairing pairing;  ///< none: a padded copy, as v needs where its rows are not multiples of 16 bytes
};

/// Which keys a launch counts; all three for fused attention, one for a call of the three-call recipe.
inline constexpr std::uint32_t mode_intra = 1, mode_succ = 2, mode_inter = 4, mode_all = 7;

template <class Element, class Real>
struct ForwardParams {
    Global<const Element> q;  ///< as given: rotated by the kernel, per tile and mode
    Global<const Element> k;  ///< rotated by the pre-pass, dense and padded
    Global<const Element> v;  ///< rows begin at multiples of 16 bytes; of 16-bit elements, whole vectors are read:
                              ///< head_dim_v is a multiple of 8, or v a padded copy
    Global<Element> out;
    Global<Real> lse;  ///< (batch, heads_q, seq_q), natural logarithm
    Global<const Real> angles;
    Global<const QueryTile> tiles;
    Strides q_stride, k_stride, v_stride, out_stride;
    std::int64_t lse_batch, lse_head;  ///< strides of lse; rows are contiguous
    std::int32_t group;                ///< query heads per kv head
    std::int32_t head_dim, head_dim_v, rotary_dim;
    Pairing pairing;
    Real scale;  ///< softmax_scale > 0, times log2 e where Real is float; a negative sign is in sign
    Real sign;   ///< +1, -1 or 0 (softmax_scale 0): multiplies q as it is rotated
    std::uint32_t modes;
};

/// Up to three partial results become one (Def.8), summed in Real: float for Element std::uint16_t (bf16 or f16 bits)
/// and float, double for double. Rows are batch * seq_q * heads each; out and lse overlap no part. An empty row of a
/// part has lse -inf, and its out is not read; a NaN or +inf in a part's lse is an error of the caller and makes the
/// row NaN.
template <class Element, class Real = float>
struct MergeParams {
    static constexpr int most = 3;
    Global<const Element> out_part[most];  ///< (batch, seq_q, heads, head_dim_v), dense
    Global<const Real> lse_part[most];     ///< (batch, heads, seq_q), natural logarithm
    Global<Element> out;                   ///< as the parts
    Global<Real> lse;
    std::int64_t batch, seq_q;
    std::int32_t parts, heads, head_dim_v;  ///< parts: 1 .. most
};

}  // namespace dca::gpu
