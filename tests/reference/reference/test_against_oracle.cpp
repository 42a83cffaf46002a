// The fast reference against the definition in binary128 over a random grid of every feature.
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

void compare(const Problem& problem, const Inputs& inputs) {
    const auto exact = oracle::forward<oracle::Quad>(problem, inputs);
    const Outputs got = reference::forward(problem, inputs);
    CHECK(test::relative_l2(got.out, exact.out) <= test::reference_agreement);
    CHECK(test::relative_l2(got.lse, exact.lse) <= test::reference_agreement);

    const auto terms = test::term_norms(problem, inputs, reference::mscale(problem.rope));
    const auto check = [&](const Gradients& gradients, const oracle::TypedGradients<oracle::Quad>& expected) {
        test::check_agreement("dq", gradients.dq, expected.dq, terms.dq);
        test::check_agreement("dk", gradients.dk, expected.dk, terms.dk);
        CHECK(test::relative_l2(gradients.dv, expected.dv) <= test::reference_agreement);
    };
    check(reference::backward(problem, inputs, got), oracle::backward<oracle::Quad>(problem, inputs));
    check(reference::backward(problem, inputs, got, reference::GradientRule::detached_merge),
          oracle::backward<oracle::Quad>(problem, inputs, oracle::MergeGradient::detached));
}

}  // namespace

TEST_CASE("forward, lse and gradients agree with the oracle in binary128 on random problems") {
    constexpr double logit_scales[] = {1.0, 0.3, 2.0};
    for (std::uint64_t seed = 1; seed <= 240; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        compare(problem, test::random_inputs(problem, seed, logit_scales[seed % 3]));
    }
}

TEST_CASE("sizes around the tiles: rows near 192, keys near 128, channels beside the panel width") {
    // One past each tile size, on both sides of chunk borders that do not line up with tiles.
    for (const auto& [n, chunk_len, local, head_dim] :
         {std::array<std::int64_t, 4>{193, 200, 10, 4}, {257, 130, 20, 6}, {129, 64, 64, 18}, {205, 1, 3, 2}}) {
        Problem problem = test::plain_problem(n, {chunk_len + local, local}, 2, 1, head_dim);
        problem.shape.head_dim_v = head_dim + 1;
        INFO(test::describe(problem));
        compare(problem, test::random_inputs(problem, static_cast<std::uint64_t>(n)));
    }
}

TEST_CASE("positions near 2^31 lose nothing") {
    // A decode row far into a single huge chunk: relative positions of 2^31 - 2 down to 2^31 - 21.
    Problem problem = test::plain_problem(20, {std::int64_t{1} << 31, 0}, 2, 1, 16);
    problem.shape.seq_q = 1;
    problem.query_offset = (std::int64_t{1} << 31) - 2;
    compare(problem, test::random_inputs(problem, 31));
    // And the same distance as a clamped successor position.
    problem.chunk = {std::int64_t{1} << 31, (std::int64_t{1} << 31) - (std::int64_t{1} << 30) - 7};
    problem.query_offset = (std::int64_t{1} << 31) - 20;
    compare(problem, test::random_inputs(problem, 32));
}
