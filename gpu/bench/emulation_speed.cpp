// How fast the emulated machine runs the forward kernel with all its checks, as mma flops per second of a whole call:
// tables of angles, the rotation pre-pass and copies of tensors included.
//     emulation_speed [seq_len [repetitions [host_threads [head_dim]]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "gpu/api/emulation.hpp"

namespace {

/// Numbers in [-1, 1) of seven bits, so exact in every dtype.
void fill(dca::Tensor4& tensor, std::uint32_t state) {
    for (double& x : tensor.values()) {
        state = state * 1664525u + 1013904223u;
        x = static_cast<double>(static_cast<std::int32_t>(state) >> 25) / 64;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
    const int seq = argument(1, 1024), repetitions = std::max(1, argument(2, 7)), head_dim = argument(4, 128);
    dca::Problem problem;
    problem.shape = {.batch = 1,
                     .seq_q = seq,
                     .seq_k = seq,
                     .heads_q = 1,
                     .heads_kv = 1,
                     .head_dim = head_dim,
                     .head_dim_v = head_dim};
    problem.chunk = {.chunk_size = 512, .local_size = 128};
    problem.dtype = dca::Dtype::bf16;
    dca::Inputs inputs{dca::Tensor4(dca::q_extents(problem.shape)),
                       dca::Tensor4(dca::k_extents(problem.shape)),
                       dca::Tensor4(dca::v_extents(problem.shape)),
                       {}};
    fill(inputs.q, 1);
    fill(inputs.k, 2);
    fill(inputs.v, 3);

    std::vector<double> rates, cpu_rates;
    dca::gpu::EmulationStats stats;
    for (int r = 0; r < repetitions; ++r) {
        dca::gpu::EmulationOptions options;
        options.seed = static_cast<std::uint64_t>(r) + 1;
        options.host_threads = argument(3, 0);
        stats = {};
        const std::clock_t cpu_start = std::clock();
        const auto start = std::chrono::steady_clock::now();
        static_cast<void>(dca::gpu::emulated_forward(problem, inputs, options, &stats));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
        rates.push_back(static_cast<double>(stats.mma_flops) / took.count() / 1e9);
        cpu_rates.push_back(static_cast<double>(stats.mma_flops) / cpu_seconds / 1e9);
    }
    std::sort(rates.begin(), rates.end());
    std::sort(cpu_rates.begin(), cpu_rates.end());
    // The second rate does not see what else the computer was doing, but for its share of the caches.
    std::printf(
        "n = %d, d = %d: median %.2f GFLOP/s of mma (%.2f to %.2f in %d runs); per second of one processor %.2f "
        "(%.2f to %.2f)\n",
        seq, head_dim, rates[rates.size() / 2], rates.front(), rates.back(), repetitions,
        cpu_rates[cpu_rates.size() / 2], cpu_rates.front(), cpu_rates.back());
    std::printf("%lld blocks, %lld rendezvous, %lld mma flops, %.2f%% of shared accesses in conflict\n",
                static_cast<long long>(stats.blocks), static_cast<long long>(stats.collectives),
                static_cast<long long>(stats.mma_flops),
                100.0 * static_cast<double>(stats.bank_conflicts) / static_cast<double>(stats.shared_accesses));
    return 0;
}
