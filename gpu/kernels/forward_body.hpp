// Fused Dual Chunk Attention forward (Def.6) for 16-bit elements: one block per query tile and head, one softmax over
// intra, succ and inter keys. Grid: (query heads, query tiles, batch), T.threads threads, T.shared_bytes of shared
// memory. Schedule and layouts: docs/kernels.md.
#pragma once

#include "gpu/api/tile_config.hpp"
#include "gpu/kernels/key_walk.hpp"
#include "gpu/kernels/rotation.hpp"
#include "gpu/tile/copy_tile.hpp"
#include "gpu/tile/online_softmax.hpp"

namespace dca::gpu {

template <class M, class Element, ForwardTile T>
struct ForwardKernel {
    using Params = ForwardParams<std::uint16_t, float>;
    using QTile = SharedTile<T.queries, T.head_dim>;
    using KTile = SharedTile<T.keys, T.head_dim>;
    using Logits = Accumulator<T.atoms, T.keys / 8>;
    using Output = Accumulator<T.atoms, T.head_dim / 8>;
    static constexpr int warp_rows = 16 * T.atoms;
    static_assert(T.threads == 32 * T.queries / warp_rows && T.stages == 2);
    static_assert(T.shared_bytes == QTile::bytes + 2 * T.stages * KTile::bytes);

    static DCA_DEVICE QTile q_tile() { return {M::shared()}; }
    static DCA_DEVICE KTile k_tile(int stage) { return {M::shared() + (QTile::bytes + stage * 2 * KTile::bytes)}; }
    static DCA_DEVICE KTile v_tile(int stage) { return {k_tile(stage).base + KTile::bytes}; }
    static DCA_DEVICE int first_row() { return M::warp() * warp_rows; }

    /// The rows of this warp, turned for a mode, in place of those for the mode before. No other warp reads them, and
    /// the barrier before the next key tile shows them to the warp's lanes.
    static DCA_DEVICE void turn_queries(const Params& p, int mode) {
        constexpr int vectors = QTile::vectors, at_once = 32 / vectors;
        const Index3 block = M::block();
        const QueryTile t = M::load(p.tiles, block.y);
        const Rotation<M, Element> rotation(p.q, p.q_stride, p.angles, p.head_dim, p.rotary_dim, p.pairing, p.sign);
        const std::int64_t q = block.z * p.q_stride.batch + t.row * p.q_stride.row + block.x * p.q_stride.head;
        const int vector = M::lane() % vectors;
        M::sync_warp();
        DCA_ROLL
        for (int i = 0; i < warp_rows; i += at_once) {
            const int row = first_row() + i + M::lane() / vectors;
            const int angle = mode == KeyWalk::intra  ? t.intra_angle + row
                              : mode == KeyWalk::succ ? t.succ_angle + (row < t.succ_angles ? row : t.succ_angles - 1)
                                                      : t.inter_angle;
            Vector16 x{};
            if (row < t.rows) x = rotation.eight_channels(q + row * p.q_stride.row, angle, 8 * vector);
            M::store_shared(q_tile().at(row, vector), x);
        }
    }

    /// Starts the copies of a tile of k and v and closes their group.
    static DCA_DEVICE void fetch(const Params& p, std::uint32_t head, std::uint32_t row, int rows, int stage) {
        const std::int64_t batch = M::block().z;
        const std::int64_t k = batch * p.k_stride.batch + head * p.k_stride.head + row * p.k_stride.row;
        const std::int64_t v = batch * p.v_stride.batch + head * p.v_stride.head + row * p.v_stride.row;
        copy_tile<M, T.threads>(k_tile(stage), p.k, k, p.k_stride.row, rows, T.head_dim);
        copy_tile<M, T.threads>(v_tile(stage), p.v, v, p.v_stride.row, rows, p.head_dim_v);
        M::commit_async();
    }

    /// Keys past the end of the range or past the row's diagonal get logit -inf.
    static DCA_DEVICE void mask(Logits& s, const Params& p, const KeyWalk& walk) {
        if (walk.clear >= T.keys) return;
        const QueryTile t = M::load(p.tiles, M::block().y);
        const KeyRange range = KeyWalk::range(t, walk.mode);
        const int group = M::lane() / 4, first = range.begin + walk.left + 2 * (M::lane() % 4);
        DCA_UNROLL
        for (int atom = 0; atom < T.atoms; ++atom) {
            DCA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const int seen = t.diagonal + first_row() + 16 * atom + 8 * half + group;
                const int last = (seen < range.end ? seen : range.end - 1) - first;
                DCA_UNROLL
                for (int block = 0; block < T.keys / 8; ++block) {
                    DCA_UNROLL
                    for (int e = 0; e < 2; ++e)
                        if (8 * block + e > last) s.at[atom][block][2 * half + e] = minus_infinity;
                }
            }
        }
    }

    /// out and lse of the warp's rows; the elements pass through its rows of shared memory to leave as whole vectors.
    static DCA_DEVICE void finish(const Params& p, SoftmaxRows<T.atoms>& rows, const Output& o) {
        constexpr float ln2 = 0.693147180559945309f;
        constexpr int vectors = QTile::vectors, at_once = 32 / vectors;
        const Index3 block = M::block();
        const QueryTile t = M::load(p.tiles, block.y);
        const int group = M::lane() / 4, column = M::lane() % 4;
        const std::int64_t lse = block.z * p.lse_batch + block.x * p.lse_head + t.row;
        M::sync_warp();
        DCA_UNROLL
        for (int atom = 0; atom < T.atoms; ++atom) {
            DCA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const float sum = quad_sum<M>(rows.sum[atom][half]);
                const float inverse = sum == 0.0f ? 0.0f : 1.0f / sum;  // NaN stays NaN
                const int row = first_row() + 16 * atom + 8 * half + group;
                if (column == 0 && row < t.rows)
                    M::store(p.lse, lse + row,
                             sum == 0.0f ? minus_infinity : (rows.maximum[atom][half] + M::log2(sum)) * ln2);
                DCA_UNROLL
                for (int b = 0; b < T.head_dim / 8; ++b)
                    M::store_shared(q_tile().at(row, b) + static_cast<std::uint32_t>(4 * column),
                                    M::template pack<Element>(o.at[atom][b][2 * half] * inverse,
                                                              o.at[atom][b][2 * half + 1] * inverse));
            }
        }
        M::sync_warp();
        const bool whole = whole_vectors(p.out, p.out_stride.batch, p.out_stride.row, p.out_stride.head);
        const std::int64_t out = block.z * p.out_stride.batch + t.row * p.out_stride.row + block.x * p.out_stride.head;
        const int vector = M::lane() % vectors;
        DCA_ROLL
        for (int i = 0; i < warp_rows; i += at_once) {
            const int row = first_row() + i + M::lane() / vectors;
            if (row >= t.rows) break;
            const std::int64_t at = out + row * p.out_stride.row + 8 * vector;
            const Vector16 x = M::template load_shared<Vector16>(q_tile().at(row, vector));
            if (whole && 8 * vector + 8 <= p.head_dim_v) {
                M::store_vector(p.out, at, x);
            } else {
                DCA_UNROLL
                for (int e = 0; e < 8; ++e)
                    if (8 * vector + e < p.head_dim_v)
                        M::store(p.out, at + e, static_cast<std::uint16_t>(x.word[e / 2] >> (e % 2 * 16)));
            }
        }
    }

    static DCA_DEVICE void run(const Params& p) {
        const int tile = M::block().y;
        SoftmaxRows<T.atoms> rows;
        Output o;
        rows.start();
        clear(o);

        const std::uint32_t head = static_cast<std::uint32_t>(M::block().x) / static_cast<std::uint32_t>(p.group);
        KeyWalk walk{-1, 0, 0, 0};
        const int first_keys = walk.template advance<M, T.keys>(p.tiles, tile, p.modes);
        if (walk.mode != KeyWalk::none) {
            fetch(p, head, walk.row, first_keys, 0);
            turn_queries(p, walk.mode);
        }
        for (int stage = 0; walk.mode != KeyWalk::none; stage ^= 1) {
            KeyWalk next = walk;
            const int keys = next.template advance<M, T.keys>(p.tiles, tile, p.modes);
            // After this barrier every warp sees the tile, and none reads the one before it any more: its stage is
            // free.
            M::template wait_async<0>();
            M::sync_block();
            if (next.mode != KeyWalk::none) fetch(p, head, next.row, keys, stage ^ 1);

            Logits s;
            multiply_transposed<M, Element>(s, q_tile(), first_row(), k_tile(stage));
            mask(s, p, walk);
            raise_maxima<M>(rows, o, s, p.scale);
            DCA_UNROLL
            for (int step = 0; step < T.keys / 16; ++step) {
                std::uint32_t weights[T.atoms][4];
                weigh<M, Element>(weights, rows, s, p.scale, step);
                multiply_add<M, Element>(o, weights, v_tile(stage), step);
            }
            if (next.mode != walk.mode && next.mode != KeyWalk::none) turn_queries(p, next.mode);
            walk = next;
        }
        finish(p, rows, o);
    }
};

template <class M, class Element, ForwardTile T>
DCA_DEVICE void forward_body(const ForwardParams<std::uint16_t, float>& p) {
    ForwardKernel<M, Element, T>::run(p);
}

}  // namespace dca::gpu
