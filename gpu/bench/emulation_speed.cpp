// How fast the emulated machine runs, with all its checks: a plain causal attention kernel of the shape of ours (tiles
// of 128 queries and 64 keys, 4 warps, head_dim 128, bf16, two stages of K and V), as mma flops per second.
//     emulation_speed [seq_len [repetitions [host_threads]]]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "gpu/machine/emulated.hpp"

namespace {

using namespace dca::gpu;

constexpr int dim = 128, queries = 128, keys = 64, threads = 128, row_bytes = 2 * dim;
constexpr std::uint32_t stage_bytes = keys * row_bytes, q_bytes = queries * row_bytes;

struct Params {
    Global<const std::uint16_t> q, k, v;
    Global<float> out;
    int seq;
    float scale;  ///< times log2 e
};

/// Byte of vector `column` (16 bytes) of a row; neighbours lie in other banks.
template <class M>
DCA_DEVICE SharedAddress at(std::uint32_t base, int row, int column) {
    return M::shared() + (base + static_cast<std::uint32_t>(row * row_bytes + ((column ^ (row & 7)) * 16)));
}

template <class M>
DCA_DEVICE void copy_rows(std::uint32_t base, Global<const std::uint16_t> from, int first, int rows) {
    for (int i = M::thread(); i < rows * dim / 8; i += threads) {
        const int row = i / (dim / 8), column = i % (dim / 8);
        M::copy_async(at<M>(base, row, column), from, static_cast<std::int64_t>(first + row) * dim + column * 8, true);
    }
}

template <class M>
DCA_DEVICE void body(const Params& p) {
    const int lane = M::lane(), warp = M::warp();
    const int tile = M::block().x, tiles = (tile + 1) * queries / keys;
    const auto stage = [](int i) { return q_bytes + static_cast<std::uint32_t>(i % 2) * 2 * stage_bytes; };
    const auto load_stage = [&](int i) {
        if (i < tiles) {
            copy_rows<M>(stage(i), p.k, i * keys, keys);
            copy_rows<M>(stage(i) + stage_bytes, p.v, i * keys, keys);
        }
        M::commit_async();
    };
    copy_rows<M>(0, p.q, tile * queries, queries);
    load_stage(0);

    float o[2][dim / 8][4] = {}, most[2][2], sum[2][2] = {};
    for (auto& m : most) m[0] = m[1] = -INFINITY;
    for (int t = 0; t < tiles; ++t) {
        load_stage(t + 1);
        M::template wait_async<1>();
        M::sync_block();
        float s[2][keys / 8][4] = {};
        for (int k = 0; k < dim / 16; ++k) {
            std::uint32_t b[keys / 8][2];
            for (int n = 0; n < keys / 16; ++n) {
                std::uint32_t four[4];
                M::load_matrix_x4(four, at<M>(stage(t), n * 16 + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
                b[2 * n][0] = four[0], b[2 * n][1] = four[1], b[2 * n + 1][0] = four[2], b[2 * n + 1][1] = four[3];
            }
            for (int half = 0; half < 2; ++half) {
                std::uint32_t a[4];
                M::load_matrix_x4(a, at<M>(0, warp * 32 + half * 16 + lane % 16, 2 * k + lane / 16));
                M::template mma<Bf16, keys / 8>(s[half], a, b);
            }
        }
        for (int half = 0; half < 2; ++half)
            for (int h = 0; h < 2; ++h) {
                const int row = tile * queries + warp * 32 + half * 16 + h * 8 + lane / 4;
                float m = most[half][h];
                for (int i = 0; i < keys / 8; ++i)
                    for (int e = 0; e < 2; ++e) {
                        float& x = s[half][i][2 * h + e];
                        if (t * keys + i * 8 + lane % 4 * 2 + e > row) x = -INFINITY;
                        m = M::max(m, x);
                    }
                m = M::max(m, M::shuffle_xor(m, 1));
                m = M::max(m, M::shuffle_xor(m, 2));
                const float shrink = M::exp2((most[half][h] - m) * p.scale);
                most[half][h] = m;
                float added = 0;
                for (int i = 0; i < keys / 8; ++i)
                    for (int e = 0; e < 2; ++e) {
                        float& x = s[half][i][2 * h + e];
                        x = M::exp2((x - m) * p.scale);
                        added += x;
                    }
                sum[half][h] = sum[half][h] * shrink + added;
                for (int i = 0; i < dim / 8; ++i)
                    for (int e = 0; e < 2; ++e) o[half][i][2 * h + e] *= shrink;
            }
        for (int k = 0; k < keys / 16; ++k) {
            std::uint32_t b[dim / 8][2];
            for (int n = 0; n < dim / 16; ++n) {
                std::uint32_t four[4];
                M::load_matrix_x4_trans(four, at<M>(stage(t) + stage_bytes, k * 16 + lane % 16, 2 * n + lane / 16));
                b[2 * n][0] = four[0], b[2 * n][1] = four[1], b[2 * n + 1][0] = four[2], b[2 * n + 1][1] = four[3];
            }
            for (int half = 0; half < 2; ++half) {
                const auto& x = s[half];
                const std::uint32_t a[4] = {M::template pack<Bf16>(x[2 * k][0], x[2 * k][1]),
                                            M::template pack<Bf16>(x[2 * k][2], x[2 * k][3]),
                                            M::template pack<Bf16>(x[2 * k + 1][0], x[2 * k + 1][1]),
                                            M::template pack<Bf16>(x[2 * k + 1][2], x[2 * k + 1][3])};
                M::template mma<Bf16, dim / 8>(o[half], a, b);
            }
        }
        M::sync_block();
    }
    for (int half = 0; half < 2; ++half)
        for (int h = 0; h < 2; ++h) {
            float total = sum[half][h];
            total += M::shuffle_xor(total, 1);
            total += M::shuffle_xor(total, 2);
            const int row = tile * queries + warp * 32 + half * 16 + h * 8 + lane / 4;
            for (int i = 0; i < dim / 8; ++i)
                for (int e = 0; e < 2; ++e)
                    M::store(p.out, static_cast<std::int64_t>(row) * dim + i * 8 + lane % 4 * 2 + e,
                             o[half][i][2 * h + e] / total);
        }
    M::template wait_async<0>();
}

/// Largest difference of some rows to attention in double.
double worst_error(const Params& p) {
    double worst = 0;
    for (int row = 0; row < p.seq; row += std::max(1, p.seq / 16)) {
        std::vector<double> weight(static_cast<std::size_t>(row) + 1);
        double total = 0;
        for (int j = 0; j <= row; ++j) {
            double dot = 0;
            for (int c = 0; c < dim; ++c)
                dot += static_cast<double>(emulated::from_element(true, p.q.data[row * dim + c])) *
                       emulated::from_element(true, p.k.data[j * dim + c]);
            total += weight[static_cast<std::size_t>(j)] = std::exp2(dot * static_cast<double>(p.scale));
        }
        for (int c = 0; c < dim; ++c) {
            double x = 0;
            for (int j = 0; j <= row; ++j)
                x += weight[static_cast<std::size_t>(j)] * emulated::from_element(true, p.v.data[j * dim + c]);
            worst = std::max(worst, std::fabs(x / total - static_cast<double>(p.out.data[row * dim + c])));
        }
    }
    return worst;
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
    const int seq = argument(1, 1024) / queries * queries, repetitions = std::max(1, argument(2, 7));
    const auto size = static_cast<std::size_t>(seq) * dim;
    std::vector<std::uint16_t> inputs[3];
    std::uint32_t state = 1;
    for (auto& x : inputs)
        for (std::size_t i = 0; i < size; ++i) {
            state = state * 1664525u + 1013904223u;
            x.push_back(emulated::to_element(true, static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-30f));
        }
    std::vector<float> out(size);
    const auto n = static_cast<std::int64_t>(size);
    const Params p{{inputs[0].data(), n},
                   {inputs[1].data(), n},
                   {inputs[2].data(), n},
                   {out.data(), n},
                   seq,
                   static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(dim)))};
    emulated::LaunchOptions options;
    options.host_threads = argument(3, 0);
    std::vector<double> rates, cpu_rates;
    emulated::LaunchStats stats;
    for (int r = 0; r < repetitions; ++r) {
        options.seed = static_cast<std::uint64_t>(r) + 1;
        const std::clock_t cpu_start = std::clock();
        const auto start = std::chrono::steady_clock::now();
        stats = emulated::launch(
            "attention", {seq / queries, 1, 1}, threads, q_bytes + 4 * stage_bytes, [&] { body<Emulated>(p); },
            options);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
        rates.push_back(static_cast<double>(stats.mma_flops) / took.count() / 1e9);
        cpu_rates.push_back(static_cast<double>(stats.mma_flops) / cpu_seconds / 1e9);
    }
    std::sort(rates.begin(), rates.end());
    std::sort(cpu_rates.begin(), cpu_rates.end());
    // The second rate does not see what else the machine was doing, but for its share of the caches.
    std::printf(
        "n = %d: median %.2f GFLOP/s of mma (%.2f to %.2f in %d runs); per second of one processor %.2f (%.2f to "
        "%.2f)\n",
        seq, rates[rates.size() / 2], rates.front(), rates.back(), repetitions, cpu_rates[rates.size() / 2],
        cpu_rates.front(), cpu_rates.back());
    std::printf("%.1f%% of shared accesses in conflict, largest error %.1e\n",
                100.0 * static_cast<double>(stats.bank_conflicts) / static_cast<double>(stats.shared_accesses),
                worst_error(p));
    std::printf("%lld blocks, %lld rendezvous, %lld switches, %lld mma flops\n", static_cast<long long>(stats.blocks),
                static_cast<long long>(stats.collectives), static_cast<long long>(stats.switches),
                static_cast<long long>(stats.mma_flops));
    return 0;
}
