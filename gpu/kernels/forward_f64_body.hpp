// Fused Dual Chunk Attention forward (Def.6) in f64: the schedule of the 16-bit kernel on m16n8k16 in f64, for goldens
// that are too long for a CPU. Grid: (query heads, query tiles, batch), Config::threads threads, Config::shared_bytes
// of shared memory; sm_90 and later. Layouts: gpu/tile/fragments_f64.hpp; how far results are from exact:
// docs/kernels.md.
#pragma once

#include "gpu/api/kernel_params.hpp"
#include "gpu/api/tile_config_f64.hpp"
#include "gpu/kernels/key_walk.hpp"
#include "gpu/kernels/rotation.hpp"
#include "gpu/tile/fragments_f64.hpp"

namespace dca::gpu {

template <class M, class Config>
struct ForwardF64Kernel {
    using Params = ForwardParams<double, double>;
    using Rows = RowsF64<Config::row_bytes>;
    static constexpr int warp_rows = 16, key_blocks = Config::keys / 8, channel_blocks = Config::head_dim / 8;
    static constexpr double infinity = __builtin_huge_val();
    static_assert(Config::threads / 32 * warp_rows == Config::queries && Config::keys % 16 == 0 && Config::stages == 2);

    /// What a lane knows of its two rows, g and g + 8 of the warp's: sums are of the lane's own keys until the end.
    struct Softmax {
        double largest[2], sum[2];
    };

    static DCA_DEVICE Rows queries() { return {M::shared()}; }
    static DCA_DEVICE Rows keys(int stage) {
        return {M::shared() + (Config::query_bytes + static_cast<std::uint32_t>(stage) * 2 * Config::key_bytes)};
    }
    static DCA_DEVICE Rows values(int stage) { return {keys(stage).base + Config::key_bytes}; }
    static DCA_DEVICE int first_row() { return M::warp() * warp_rows; }

    /// The warp's rows turned for a mode, in place of those for the mode before. No other warp reads them; its own
    /// lanes do after the block's next barrier.
    static DCA_DEVICE void turn_queries(const Params& p, int mode) {
        const Index3 block = M::block();
        const QueryTile t = M::load(p.tiles, block.y);
        const Rotation<M, F64> rotation(p.q, p.q_stride, p.angles, p.head_dim, p.rotary_dim, p.pairing, p.sign);
        const std::int64_t q = block.z * p.q_stride.batch + t.row * p.q_stride.row + block.x * p.q_stride.head;
        M::sync_warp();
        for (int i = 0; i < warp_rows; ++i) {
            const int row = first_row() + i;
            const int angle = mode == KeyWalk::intra  ? t.intra_angle + row
                              : mode == KeyWalk::succ ? t.succ_angle + (row < t.succ_angles ? row : t.succ_angles - 1)
                                                      : t.inter_angle;
            DCA_UNROLL
            for (int part = 0; part < Config::head_dim / 32; ++part) {
                const int c = 32 * part + M::lane();
                const double x = row < t.rows ? rotation.channel(q + row * p.q_stride.row, angle, c) : 0.0;
                M::store_shared(queries().at(row, c), x);
            }
        }
    }

    /// Starts the copies of a tile of k or v. Rows past the range and channels past `channels` become zeros, since zero
    /// times what lay there before could be a NaN.
    static DCA_DEVICE void copy(Rows to, Global<const double> from, std::int64_t first, std::int64_t stride, int rows,
                                int channels) {
        constexpr int vectors = Config::head_dim / 2, together = Config::threads / vectors;
        const int row = M::thread() / vectors, column = 2 * (M::thread() % vectors);
        const int rows_left = column < channels ? rows - row : 0;
        std::int64_t at = first + row * stride + column;
        DCA_UNROLL
        for (int i = 0; i < Config::keys; i += together) {
            M::copy_async(to.at(row + i, column), from, at, i < rows_left);
            at += together * stride;
        }
    }

    /// `rows` rows of k and v from row `row` on, into a stage.
    static DCA_DEVICE void fetch(const Params& p, std::int64_t row, int rows, int stage) {
        const Index3 block = M::block();
        const int head = block.x / p.group;
        copy(keys(stage), p.k, block.z * p.k_stride.batch + head * p.k_stride.head + row * p.k_stride.row,
             p.k_stride.row, rows, Config::head_dim);
        copy(values(stage), p.v, block.z * p.v_stride.batch + head * p.v_stride.head + row * p.v_stride.row,
             p.v_stride.row, rows, p.head_dim_v);
        M::commit_async();
    }

    static DCA_DEVICE void multiply_queries(double (&s)[key_blocks][4], Rows k) {
        DCA_UNROLL
        for (int n = 0; n < key_blocks; ++n) {
            DCA_UNROLL
            for (int e = 0; e < 4; ++e) s[n][e] = 0;
        }
        DCA_UNROLL
        for (int c = 0; c < Config::head_dim; c += 16) {
            double a[8];
            load_left_f64<M>(a, queries(), first_row(), c);
            DCA_UNROLL
            for (int n = 0; n < key_blocks; n += 2) {
                double b[2][4];
                load_right_transposed_f64<M>(b, k, 8 * n, c);
                M::template mma_f64<2>(s + n, a, b);
            }
        }
    }

    /// Keys past the end of the range or past the row's diagonal get logit -inf.
    static DCA_DEVICE void mask(double (&s)[key_blocks][4], const Params& p, const KeyWalk& walk) {
        if (walk.clear >= Config::keys) return;
        const QueryTile t = M::load(p.tiles, M::block().y);
        const KeyRange range = KeyWalk::range(t, walk.mode);
        const int group = M::lane() / 4, first = range.begin + walk.left + 2 * (M::lane() % 4);
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) {
            const int diagonal = t.diagonal + first_row() + 8 * half + group;
            const int last = (diagonal < range.end ? diagonal : range.end - 1) - first;
            DCA_UNROLL
            for (int n = 0; n < key_blocks; ++n) {
                DCA_UNROLL
                for (int e = 0; e < 2; ++e)
                    if (8 * n + e > last) s[n][2 * half + e] = -infinity;
            }
        }
    }

    /// q~ k~ becomes exp(scale q~ k~ - largest); what was summed so far follows a larger maximum. The fused
    /// multiply-add keeps the rounding of scale q~ k~ out, which grows with the logit and not with its distance from
    /// the largest.
    static DCA_DEVICE void absorb(Softmax& rows, double (&o)[channel_blocks][4], double (&s)[key_blocks][4],
                                  double scale) {
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) {
            double largest = -infinity;
            DCA_UNROLL
            for (int n = 0; n < key_blocks; ++n) largest = M::max(largest, M::max(s[n][2 * half], s[n][2 * half + 1]));
            largest = M::max(largest, M::shuffle_xor(largest, 1));
            largest = M::max(largest, M::shuffle_xor(largest, 2));
            largest = M::max(rows.largest[half], scale * largest);
            const double shift = largest == -infinity ? 0.0 : largest;  // a row that has seen no key yet
            const double factor = M::exp(rows.largest[half] - shift);
            rows.largest[half] = largest;
            double sum = 0;
            DCA_UNROLL
            for (int n = 0; n < key_blocks; ++n) {
                DCA_UNROLL
                for (int e = 0; e < 2; ++e) {
                    double& x = s[n][2 * half + e];
                    x = M::exp(M::fma(scale, x, -shift));
                    sum += x;
                }
            }
            rows.sum[half] = M::fma(rows.sum[half], factor, sum);
            DCA_UNROLL
            for (int n = 0; n < channel_blocks; ++n) {
                DCA_UNROLL
                for (int e = 0; e < 2; ++e) o[n][2 * half + e] *= factor;
            }
        }
    }

    static DCA_DEVICE void multiply_values(double (&o)[channel_blocks][4], const double (&s)[key_blocks][4], Rows v) {
        DCA_UNROLL
        for (int n = 0; n < key_blocks; n += 2) {
            double a[8];
            result_as_left_f64(a, s[n], s[n + 1]);
            DCA_UNROLL
            for (int c = 0; c < channel_blocks; c += 2) {
                double b[2][4];
                load_right_f64<M>(b, v, 8 * n, 8 * c);
                M::template mma_f64<2>(o + c, a, b);
            }
        }
    }

    /// out and lse of the warp's rows; a sum that is NaN is not taken for a row without keys.
    static DCA_DEVICE void finish(const Params& p, const Softmax& rows, const double (&o)[channel_blocks][4]) {
        const Index3 block = M::block();
        const QueryTile t = M::load(p.tiles, block.y);
        const int group = M::lane() / 4, within = M::lane() % 4;
        const std::int64_t lse = block.z * p.lse_batch + block.x * p.lse_head + t.row;
        const std::int64_t out = block.z * p.out_stride.batch + t.row * p.out_stride.row + block.x * p.out_stride.head;
        const bool whole = whole_vectors(p.out, p.out_stride.batch, p.out_stride.row, p.out_stride.head);
        DCA_UNROLL
        for (int half = 0; half < 2; ++half) {
            double sum = rows.sum[half];
            sum += M::shuffle_xor(sum, 1);
            sum += M::shuffle_xor(sum, 2);
            const int row = first_row() + 8 * half + group;
            if (row >= t.rows) continue;
            if (within == 0) M::store(p.lse, lse + row, sum == 0 ? -infinity : rows.largest[half] + M::log(sum));
            const double inverse = sum == 0 ? 0.0 : 1 / sum;
            const std::int64_t at = out + row * p.out_stride.row;
            DCA_UNROLL
            for (int n = 0; n < channel_blocks; n += 2) {
                DCA_UNROLL
                for (int pair = 0; pair < 2; ++pair) {
                    const int channel = 8 * n + 4 * within + 2 * pair;
                    Double2 x;
                    DCA_UNROLL
                    for (int e = 0; e < 2; ++e)
                        x.value[e] = divide(result_channel_f64(o[n], o[n + 1], half, 2 * pair + e), sum, inverse);
                    if (whole && channel + 2 <= p.head_dim_v) {
                        M::store_vector(p.out, at + channel, __builtin_bit_cast(Vector16, x));
                    } else {
                        DCA_UNROLL
                        for (int e = 0; e < 2; ++e)
                            if (channel + e < p.head_dim_v) M::store(p.out, at + channel + e, x.value[e]);
                    }
                }
            }
        }
    }

    /// x / y within one roundoff, from 1 / y rounded; 0 where both are 0.
    static DCA_DEVICE double divide(double x, double y, double inverse) {
        const double quotient = x * inverse;
        return M::fma(M::fma(-quotient, y, x), inverse, quotient);
    }

    static DCA_DEVICE void run(const Params& p) {
        const int tile = M::block().y;
        Softmax rows{{-infinity, -infinity}, {0, 0}};
        double o[channel_blocks][4];
        DCA_UNROLL
        for (int n = 0; n < channel_blocks; ++n) {
            DCA_UNROLL
            for (int e = 0; e < 4; ++e) o[n][e] = 0;
        }

        KeyWalk walk{-1, 0, 0, 0};
        const int keys_ahead = walk.template advance<M, Config::keys>(p.tiles, tile, p.modes);
        if (walk.mode != KeyWalk::none) {
            fetch(p, walk.row, keys_ahead, 0);
            turn_queries(p, walk.mode);
        }
        for (int stage = 0; walk.mode != KeyWalk::none; stage ^= 1) {
            KeyWalk next = walk;
            const int next_keys = next.template advance<M, Config::keys>(p.tiles, tile, p.modes);
            // After this barrier every warp sees the tile, and none reads the one before it any more: its stage is
            // free.
            M::template wait_async<0>();
            M::sync_block();
            if (next.mode != KeyWalk::none) fetch(p, next.row, next_keys, stage ^ 1);

            double s[key_blocks][4];
            multiply_queries(s, keys(stage));
            mask(s, p, walk);
            absorb(rows, o, s, p.scale);
            multiply_values(o, s, values(stage));

            if (next.mode != walk.mode && next.mode != KeyWalk::none) turn_queries(p, next.mode);
            walk = next;
        }
        finish(p, rows, o);
    }
};

/// Config: TileConfigF64<64> or <128>.
template <class M, class Config>
DCA_DEVICE void forward_f64_body(const ForwardParams<double, double>& p) {
    ForwardF64Kernel<M, Config>::run(p);
}

}  // namespace dca::gpu
