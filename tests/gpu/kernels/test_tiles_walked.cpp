// Which tiles of keys the fused kernel of bf16 and f16 meets, where it may leave the mask out, and what it turns.
#include "tests/gpu/kernels/error_bound_16bit.hpp"
#include "tests/gpu/kernels/launch_16bit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

TEST_CASE("16-bit kernels: no tile of keys is multiplied in vain") {
    // Two chunks of 256 rows, each of two query tiles of 128. In tiles of 64 keys, the first chunk's see 2 and 4 intra,
    // the second's as many, and 4 succ each.
    Problem problem = plain_problem(512, {256, 0}, 1, 1, 64);
    problem.dtype = Dtype::f16;
    const Inputs inputs = rounded(problem, random_inputs(problem, 1));
    gpu::emulated::LaunchStats stats;
    (void)forward_16bit(problem, inputs, {}, &stats);
    CHECK(stats.mma_flops == (2 + 4 + 6 + 8) * 4 * 128 * 64 * 64);
}

TEST_CASE("16-bit kernels: pieces that begin at any row of a key tile") {
    // Two rows whose diagonals end at every column of a tile, the last two among them: one row sees it whole, one not.
    Problem problem = plain_problem(200, {400, 0}, 1, 1, 16);
    problem.dtype = Dtype::f16;
    problem.shape.seq_q = 2;
    for (std::int64_t offset = 60; offset < 130; ++offset) {
        problem.query_offset = offset;
        INFO("query_offset " << offset);
        const Inputs inputs = rounded(problem, random_inputs(problem, 7));
        const WorstError16 worst = worst_error_16bit(problem, inputs, forward_16bit(problem, inputs), gpu::mode_all);
        CHECK(worst.out <= 1);
        CHECK(worst.lse <= 1);
    }
}

TEST_CASE("16-bit kernels: channels that are not rotary, as whole vectors, under a negative scale") {
    Problem problem = plain_problem(90, {32, 0}, 1, 1, 64);
    problem.dtype = Dtype::f16;
    problem.rope.rotary_dim = 32;
    problem.softmax_scale = -0.125;
    const Inputs inputs = rounded(problem, random_inputs(problem, 3));
    const WorstError16 worst = worst_error_16bit(problem, inputs, forward_16bit(problem, inputs), gpu::mode_all);
    CHECK(worst.out <= 1);
    CHECK(worst.lse <= 1);
}
