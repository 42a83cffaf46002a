// The fused kernel of bf16 and f16 on the emulated machine, against the definition.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "gpu/host/plan.hpp"
#include "reference/forward.hpp"
#include "tests/gpu/kernels/error_bound_16bit.hpp"
#include "tests/gpu/kernels/launch_16bit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

bool same_bits(const Outputs& a, const Outputs& b) {
    const auto same = [](auto x, auto y) { return std::memcmp(x.data(), y.data(), x.size_bytes()) == 0; };
    return same(a.out.values(), b.out.values()) && same(a.lse.values(), b.lse.values());
}

/// Both dtypes take turns; f16 has the sharper bound.
void check(Problem problem, std::uint64_t seed, double logit_scale, Launch16 launch = {}) {
    problem.dtype = seed % 3 == 0 ? Dtype::bf16 : Dtype::f16;
    INFO("seed " << seed << ": " << describe(problem) << " modes " << launch.modes);
    const Inputs inputs = rounded(problem, random_inputs(problem, seed, logit_scale));
    launch.options.seed = seed;
    gpu::emulated::LaunchStats stats;
    const Outputs got = forward_16bit(problem, inputs, launch, &stats);
    const WorstError16 worst = worst_error_16bit(problem, inputs, got, launch.modes);
    const Shape& s = problem.shape;
    CHECK(worst.compared == s.batch * s.seq_q * s.heads_q * (s.head_dim_v + 1));
    CHECK(worst.out <= 1);
    CHECK(worst.lse <= 1);
    CHECK(stats.bank_conflicts == 0);
    if (std::getenv("DCA_PRINT_ERRORS") != nullptr)
        WARN("of bound: out " << worst.out << ", lse " << worst.lse << ": " << describe(problem));
}

/// Also without rope: positions do not count then, but every key does, to a thousandth of its weight.
void check_both(Problem problem, std::uint64_t seed) {
    check(problem, seed, 1.0);
    problem.rope.layout = RopeLayout::none;
    check(problem, seed, 1.0);
}

}  // namespace

TEST_CASE("16-bit kernels: several chunks, ragged ends, every mode, both widths") {
    // Chunks of 192 rows hold a query tile and a half and three key tiles; 450 rows are 2 chunks and 66 rows.
    check_both(plain_problem(450, {256, 64}, 2, 1, 128), 1);
    // 150 rows: neither query tiles of 128 nor key tiles of 64 fit.
    check_both(plain_problem(420, {190, 40}, 1, 1, 64), 2);
    check_both(plain_problem(330, {110, 10}, 1, 1, 128), 3);
    // 127 rows: the last key tile of a range lacks one key.
    check_both(plain_problem(290, {137, 10}, 1, 1, 32), 8);
    // Chunks of one tile, and of less: the tile of 64 rows.
    check_both(plain_problem(200, {72, 8}, 2, 1, 128), 4);
    check_both(plain_problem(150, {50, 10}, 1, 1, 64), 5);
    // Stride 1: every query tile has one row, and so has every key tile of the pre-pass.
    check_both(plain_problem(9, {4, 3}, 1, 1, 16), 6);
    // One chunk: plain causal attention.
    check_both(plain_problem(300, {512, 64}, 1, 1, 128), 7);
}

TEST_CASE("16-bit kernels: heads padded, grouped, and of another width than v") {
    Problem problem = plain_problem(100, {80, 8}, 6, 2, 80);
    problem.shape.head_dim_v = 24;
    check(problem, 11, 1.0);
    problem = plain_problem(90, {32, 0}, 3, 3, 40);
    problem.shape.head_dim_v = 100;
    problem.rope.layout = RopeLayout::interleaved;
    check(problem, 12, 1.0);
    problem.shape.head_dim_v = 7;  // v goes through a padded copy
    problem.shape.batch = 2;
    check(problem, 13, 1.0);
    problem.rope.layout = RopeLayout::none;
    check(problem, 14, 1.0);
    // Pairs that are 9 channels apart, or 8 pairs of neighbours: rows that whole vectors do not fit.
    problem = plain_problem(90, {32, 0}, 2, 1, 40);
    problem.rope.rotary_dim = 18;
    check(problem, 15, 1.0);
    problem.rope.layout = RopeLayout::interleaved;
    check(problem, 16, 1.0);
    problem.rope.rotary_dim = 24;
    check(problem, 17, 1.0);
}

TEST_CASE("16-bit kernels: strides of their own, and rows that no vector can read or write") {
    const Problem problem = plain_problem(140, {100, 20}, 2, 2, 64);
    check(problem, 21, 1.0, {.options = {}, .gap = 16});
    check(problem, 22, 1.0, {.options = {}, .gap = 5});
    // Rows begin at whole vectors, and end inside one.
    Problem narrow = plain_problem(70, {40, 10}, 1, 1, 36);
    narrow.rope.rotary_dim = 32;
    check(narrow, 23, 1.0, {.options = {}, .gap = 4});
    check(problem, 22, 1.0, {.options = {}, .shift = 3});
}

TEST_CASE("16-bit kernels: pieces of a prompt, decode, and rows without keys") {
    Problem problem = plain_problem(300, {96, 16}, 2, 1, 32);
    problem.shape.seq_q = 137;
    problem.query_offset = 121;  // inside a chunk, and sees only a part of the keys
    check(problem, 31, 2.0);
    problem.query_offset = 290;  // beyond the last key
    check(problem, 32, 2.0);
    problem.query_offset = -50;  // 50 rows see nothing
    check(problem, 33, 2.0);
    problem.shape.seq_q = 1;
    problem.query_offset = 299;
    check(problem, 34, 2.0);
}

TEST_CASE("16-bit kernels: one mode alone, any two, and no mode") {
    const Problem problem = plain_problem(330, {112, 16}, 1, 1, 64);
    for (std::uint32_t modes = 0; modes < gpu::mode_all; ++modes)
        check(problem, 41 + modes, 1.0, {.options = {}, .modes = modes});
}

TEST_CASE("16-bit kernels: no key tile is visited in vain") {
    // Ranges of whole tiles, of a tile less one key, of a key more than a tile.
    for (const ChunkConfig chunk : {ChunkConfig{192, 64}, ChunkConfig{137, 10}, ChunkConfig{140, 11}}) {
        Problem problem = plain_problem(300, chunk, 2, 1, 64);
        problem.dtype = Dtype::bf16;
        const gpu::host::Plan plan = gpu::host::make_plan(problem);
        std::int64_t tiles = 0;
        for (const gpu::QueryTile& t : plan.query_tiles)
            for (const int keys : {t.intra_end - t.succ_end, t.succ_end - t.inter_end, t.inter_end})
                tiles += (keys + plan.shape.keys - 1) / plan.shape.keys;
        gpu::emulated::LaunchStats stats;
        (void)forward_16bit(problem, random_inputs(problem, 1), {}, &stats);
        // Two products of 2 * queries * keys * channels each, for either head.
        CHECK(stats.mma_flops == 2 * tiles * 4 * plan.shape.queries * plan.shape.keys * plan.shape.head_dim);
    }
}

TEST_CASE("16-bit kernels: the modes apart, merged, are the fused result") {
    Problem problem = plain_problem(300, {112, 16}, 1, 1, 64);
    problem.dtype = Dtype::f16;
    const Inputs inputs = rounded(problem, random_inputs(problem, 51));
    std::vector<Outputs> parts;
    Launch16 launch;
    for (std::uint32_t mode : {gpu::mode_intra, gpu::mode_succ, gpu::mode_inter}) {
        launch.modes = mode;
        parts.push_back(forward_16bit(problem, inputs, launch));
    }
    // Each part is within the bound of its mode, so their merge is within that of all.
    const WorstError16 worst = worst_error_16bit(problem, inputs, reference::merge(parts), gpu::mode_all);
    CHECK(worst.out <= 1);
    CHECK(worst.lse <= 1);
}

TEST_CASE("16-bit kernels: logits far apart rescale what was summed") {
    // Logits of some hundreds: the running maximum rises by more than 2^x underflows at.
    check(plain_problem(300, {96, 32}, 1, 1, 64), 61, 10.0);
    check(plain_problem(300, {96, 32}, 1, 1, 64), 63, 4.0);
}

TEST_CASE("16-bit kernels: random problems of every feature") {
    int computed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Problem problem = random_problem(seed);
        problem.dtype = seed % 3 == 0 ? Dtype::bf16 : Dtype::f16;
        if (!gpu::host::supports(problem).ok()) continue;
        ++computed;
        check(problem, seed, 1.0);
        if (seed % 5 == 0) {
            problem.softmax_scale = seed % 10 == 0 ? 0.0 : -problem.resolved_softmax_scale();
            check(problem, seed, 1.0);
        }
    }
    CHECK(computed >= 50);
}

TEST_CASE("16-bit kernels: the order in which threads run changes no bit") {
    Problem problem = plain_problem(200, {100, 16}, 2, 1, 64);
    problem.dtype = Dtype::bf16;
    const Inputs inputs = rounded(problem, random_inputs(problem, 71));
    Launch16 launch;
    const Outputs first = forward_16bit(problem, inputs, launch);
    for (std::uint64_t seed = 2; seed <= 5; ++seed) {
        launch.options.seed = seed;
        launch.options.host_threads = static_cast<int>(seed % 2) + 1;
        CHECK(same_bits(forward_16bit(problem, inputs, launch), first));
    }
}

TEST_CASE("16-bit kernels: a row whose logits overflow is not a row without keys") {
    Problem problem = plain_problem(80, {32, 8}, 1, 1, 64);
    problem.dtype = Dtype::bf16;
    Inputs inputs = rounded(problem, random_inputs(problem, 81));
    for (Tensor4* tensor : {&inputs.q, &inputs.k})
        for (double& x : tensor->values()) x = round_to(Dtype::bf16, std::copysign(1e30, x));
    const Outputs got = forward_16bit(problem, inputs);
    // Logits of 10^60 are infinite in f32; what comes of them may be NaN or infinite, but must show.
    for (double lse : got.lse.values()) CHECK_FALSE(lse < 0.0);
}
