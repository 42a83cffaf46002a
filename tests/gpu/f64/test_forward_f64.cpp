// The f64 forward kernel on the emulated machine, against the definition.
#include <cstring>
#include <tuple>

#include "gpu/host/plan.hpp"
#include "reference/forward.hpp"
#include "tests/gpu/f64/error_bound.hpp"
#include "tests/gpu/f64/launch_f64.hpp"
#include "tests/gpu/merge/merge_launch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

bool same_bits(const Outputs& a, const Outputs& b) {
    const auto same = [](auto x, auto y) { return std::memcmp(x.data(), y.data(), x.size_bytes()) == 0; };
    return same(a.out.values(), b.out.values()) && same(a.lse.values(), b.lse.values());
}

void check(const Problem& problem, std::uint64_t seed, double logit_scale, std::uint32_t modes = gpu::mode_all) {
    INFO("seed " << seed << ": " << describe(problem) << " modes " << modes);
    const Inputs inputs = random_inputs(problem, seed, logit_scale);
    LaunchF64 launch;
    launch.options.seed = seed;
    launch.modes = modes;
    const WorstError worst = worst_error_f64(problem, inputs, forward_f64(problem, inputs, launch), modes);
    INFO("errors in roundoffs: out " << worst.out_roundoffs << ", lse " << worst.lse_roundoffs);
    const Shape& s = problem.shape;
    CHECK(worst.compared == s.batch * s.seq_q * s.heads_q * (s.head_dim_v + 1));
    CHECK(worst.of_bound <= 1);
}

}  // namespace

TEST_CASE("f64 kernel: several chunks, ragged ends, every mode, both widths") {
    // Chunks of 48 rows: neither query tiles of 64 nor key tiles of 32 fit; 200 rows are 4 chunks and 8 rows.
    Problem problem = plain_problem(200, {64, 16}, 2, 1, 64);
    check(problem, 1, 1.5);
    // Chunks of 96 rows hold a tile and a half.
    problem = plain_problem(230, {128, 32}, 2, 1, 128);
    check(problem, 2, 1.0);
    // Chunks of 63 rows, and a last row that sees 31 keys of its chunk: tiles that lack one key.
    problem = plain_problem(2 * 63 + 31, {80, 17}, 1, 1, 24);
    check(problem, 15, 1.0);
    problem.shape.seq_q = 1;
    check(problem, 16, 1.0);
    // Stride 1: every query tile has one row.
    problem = plain_problem(9, {4, 3}, 1, 1, 16);
    check(problem, 3, 1.0);
}

TEST_CASE("f64 kernel: heads padded, grouped, and of another width than v") {
    Problem problem = plain_problem(100, {40, 8}, 6, 2, 80);
    problem.shape.head_dim_v = 24;
    check(problem, 4, 1.0);
    problem = plain_problem(70, {32, 0}, 3, 3, 40);
    problem.shape.head_dim_v = 100;
    problem.rope.layout = RopeLayout::interleaved;
    check(problem, 5, 1.0);
    problem.shape.head_dim_v = 7;  // v goes through a padded copy
    problem.shape.batch = 2;
    check(problem, 6, 1.0);
}

TEST_CASE("f64 kernel: pieces of a prompt, decode, and rows without keys") {
    Problem problem = plain_problem(100, {32, 8}, 2, 1, 16);
    problem.shape.seq_q = 37;
    problem.query_offset = 41;  // inside a chunk, and sees only a part of the keys
    check(problem, 7, 2.0);
    problem.query_offset = 90;  // beyond the last key
    check(problem, 8, 2.0);
    problem.query_offset = -20;  // 20 rows see nothing
    check(problem, 9, 2.0);
    problem.shape.seq_q = 1;
    problem.query_offset = 99;
    check(problem, 10, 2.0);
}

TEST_CASE("f64 kernel: one mode alone, and the three together") {
    const Problem problem = plain_problem(150, {48, 16}, 2, 1, 32);
    for (std::uint32_t modes = 1; modes < gpu::mode_all; ++modes) check(problem, 11, 1.0, modes);
}

TEST_CASE("f64 kernel: the modes apart, merged, are the fused result") {
    const Problem problem = plain_problem(120, {48, 16}, 1, 1, 32);
    const Inputs inputs = random_inputs(problem, 12);
    std::vector<Outputs> parts;
    LaunchF64 launch;
    for (std::uint32_t mode : {gpu::mode_intra, gpu::mode_succ, gpu::mode_inter}) {
        launch.modes = mode;
        parts.push_back(forward_f64(problem, inputs, launch));
    }
    // Each part is within the bound of its mode, so their exact merge is within that of all; the merge kernel adds
    // fewer roundoffs than the bound has for sums over all keys.
    CHECK(worst_error_f64(problem, inputs, run_merge<gpu::F64>(parts), gpu::mode_all).of_bound <= 1);
}

TEST_CASE("f64 kernel: the mean of equal values is that value") {
    // Logits of 0 have weight 1 exactly, n times a small integer is exact, and a quotient that is off by less than one
    // roundoff is exact where the true one is a double; the product with 1 / n is not, from n = 49 on.
    Problem problem = plain_problem(150, {64, 16}, 1, 1, 16);
    problem.softmax_scale = 0;
    Inputs inputs = random_inputs(problem, 18);
    for (std::size_t i = 0; i < inputs.v.values().size(); ++i) inputs.v.values()[i] = static_cast<double>(i % 16) + 1;
    const Outputs outputs = forward_f64(problem, inputs);
    for (std::size_t i = 0; i < outputs.out.values().size(); ++i)
        CHECK(outputs.out.values()[i] == static_cast<double>(i % 16) + 1);
}

TEST_CASE("f64 kernel: logits far apart rescale what was summed") {
    // Logits of some hundreds: the running maximum rises by more than exp underflows at.
    check(plain_problem(200, {64, 16}, 1, 1, 32), 13, 12.0);
}

TEST_CASE("f64 kernel: random problems of every feature") {
    int computed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Problem problem = random_problem(seed);
        problem.dtype = Dtype::f64;
        if (!gpu::host::supports(problem).ok()) continue;
        ++computed;
        check(problem, seed, 1.0);
        if (seed % 3 == 0) {
            problem.softmax_scale = -problem.resolved_softmax_scale();
            check(problem, seed, 1.0);
        }
    }
    CHECK(computed >= 50);
}

TEST_CASE("f64 kernel: no bank conflicts, and no key tile more than the rows see") {
    for (std::int64_t d : {64, 128}) {
        const Problem problem = plain_problem(256, {128, 64}, 1, 1, d);  // query tile i of 0 .. 3 sees 64 (i + 1) keys
        gpu::emulated::LaunchStats stats;
        (void)forward_f64(problem, random_inputs(problem, 17), {}, &stats);
        CHECK(stats.shared_accesses > 0);
        CHECK(stats.bank_conflicts == 0);
        CHECK(stats.mma_flops == 64 * 64 * (1 + 2 + 3 + 4) * 4 * d);
    }
}

TEST_CASE("f64 kernel: the order in which threads run changes no bit") {
    const Problem problem = plain_problem(100, {48, 16}, 2, 1, 64);
    const Inputs inputs = random_inputs(problem, 14);
    LaunchF64 launch;
    const Outputs first = forward_f64(problem, inputs, launch);
    for (std::uint64_t seed = 2; seed <= 5; ++seed) {
        launch.options.seed = seed;
        launch.options.host_threads = static_cast<int>(seed % 2) + 1;
        CHECK(same_bits(forward_f64(problem, inputs, launch), first));
    }
}

// Not part of the suite: the figures of docs/kernels.md.
TEST_CASE("f64 kernel: errors beside those of the reference", "[.accuracy]") {
    for (const auto& [n, d, logit_scale] :
         {std::tuple{200, 64, 1.0}, {700, 64, 1.0}, {700, 128, 1.0}, {700, 64, 2.0}}) {
        const Problem problem = plain_problem(n, {128, 32}, 2, 1, d);
        const Inputs inputs = random_inputs(problem, 14, logit_scale);
        const WorstError kernel = worst_error_f64(problem, inputs, forward_f64(problem, inputs), gpu::mode_all);
        const WorstError cpu = worst_error_f64(problem, inputs, reference::forward(problem, inputs), gpu::mode_all);
        WARN("n " << n << " d " << d << " q and k times " << logit_scale << ": out " << kernel.out_roundoffs << ", lse "
                  << kernel.lse_roundoffs << ", of bound " << kernel.of_bound << "; reference: out "
                  << cpu.out_roundoffs << ", lse " << cpu.lse_roundoffs << ", of bound " << cpu.of_bound);
        CHECK(kernel.of_bound <= 1);
        CHECK(cpu.of_bound <= 1);
    }
}
