// The gradient public code trains with, in which the merge weights are constants (Def.10, H34), in closed form.
#include <cmath>

#include "reference/oracle/positions.hpp"
#include "tests/reference/oracle/bounds.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

TEST_CASE(
    "H34: two keys, C = 2, w = 1: the detached dq and dk vanish, the true ones are those of the logistic function") {
    Problem p;
    p.shape = {.seq_q = 2, .seq_k = 2, .head_dim = 2, .head_dim_v = 2};
    p.chunk = {2, 1};
    p.rope.inv_freq = {0.5};
    p.softmax_scale = 1;
    const Inputs inputs = random_inputs(p, 7);
    const Tensor4 &q = inputs.q, &k = inputs.k, &v = inputs.v, &dout = *inputs.dout;

    // Row 1: key 0 is succ at distance min(1, 1, 2) = 1, key 1 is intra at distance 0. Row 0 has one key: no gradient.
    const double c = std::cos(0.5), s = std::sin(0.5);
    const double seen[2] = {k(0, 0, 0, 0) * c + k(0, 0, 0, 1) * s, k(0, 0, 0, 1) * c - k(0, 0, 0, 0) * s};
    const double logit0 = q(0, 1, 0, 0) * seen[0] + q(0, 1, 0, 1) * seen[1];
    const double logit1 = q(0, 1, 0, 0) * k(0, 1, 0, 0) + q(0, 1, 0, 1) * k(0, 1, 0, 1);
    const double p0 = 1 / (1 + std::exp(logit1 - logit0));
    double dp[2] = {};
    for (int j : {0, 1}) {
        for (int x : {0, 1}) dp[j] += dout(0, 1, 0, x) * v(0, j, 0, x);
    }
    const double ds = p0 * (1 - p0) * (dp[0] - dp[1]);  // of key 0; key 1 has the opposite

    const auto exact = backward<Quad>(p, inputs, MergeGradient::exact);
    const auto detached = backward<Quad>(p, inputs, MergeGradient::detached);
    const double bound = rounding_bounds(p, 0x1p-53).gradient;  // the right-hand sides here are computed in double
    for (int x : {0, 1}) {
        CAPTURE(x);
        const double q1[2] = {q(0, 1, 0, 0), q(0, 1, 0, 1)};
        const double turned_q = x == 0 ? q1[0] * c - q1[1] * s : q1[1] * c + q1[0] * s;
        CHECK(fabsq(exact.dq(0, 1, 0, x) - ds * (seen[x] - k(0, 1, 0, x))) <= bound);
        CHECK(fabsq(exact.dk(0, 0, 0, x) - ds * turned_q) <= bound);
        CHECK(fabsq(exact.dk(0, 1, 0, x) + ds * q1[x]) <= bound);
        CHECK(exact.dq(0, 0, 0, x) == 0);
    }
    CHECK(std::abs(ds) > 0.01);
    const Tensor<Quad, 4> zero(q_extents(p.shape));
    CHECK(detached.dq == zero);
    CHECK(detached.dk == zero);
}

TEST_CASE("P17 through backward: dS sums to zero per row, detached per row and mode") {
    // Without rotation, with softmax_scale 1 and q the identity, dk is the transpose of dS itself.
    Problem p;
    p.shape = {.seq_q = 12, .seq_k = 12, .head_dim = 12, .head_dim_v = 3};
    p.chunk = {6, 2};
    p.rope.layout = RopeLayout::none;
    p.softmax_scale = 1;
    Inputs inputs = random_inputs(p, 8);
    for (double& value : inputs.q.values()) value = 0;
    for (std::int64_t i = 0; i < 12; ++i) inputs.q(0, i, 0, i) = 1;
    const double bound = 12 * rounding_bounds(p, 0x1p-113).gradient;
    for (MergeGradient rule : {MergeGradient::exact, MergeGradient::detached}) {
        const auto gradients = backward<Quad>(p, inputs, rule);
        for (std::int64_t i = 0; i < 12; ++i) {
            CAPTURE(i, rule == MergeGradient::detached);
            Quad per_mode[3] = {};
            for (std::int64_t j = 0; j <= i; ++j) {
                per_mode[int(pair_mode(p.chunk, QueryIndex(i), KeyIndex(j)))] += gradients.dk(0, j, 0, i);
            }
            CHECK(fabsq(per_mode[0] + per_mode[1] + per_mode[2]) <= bound);
            for (const Quad& sum : per_mode) {
                if (rule == MergeGradient::detached) CHECK(fabsq(sum) <= bound);
            }
            if (rule == MergeGradient::exact && i >= 4) CHECK(fabsq(per_mode[0]) > 1e-4);
        }
    }
}

TEST_CASE("dv does not depend on the rule, within one chunk nothing does") {
    for (const NamedProblem& named : many_problems(40)) {
        INFO(named.name);
        const Inputs inputs = random_inputs(named.problem, 9);
        const auto exact = backward<Quad>(named.problem, inputs, MergeGradient::exact);
        const auto detached = backward<Quad>(named.problem, inputs, MergeGradient::detached);
        CHECK(exact.dv == detached.dv);
        Problem one_chunk = named.problem;
        one_chunk.chunk = {1000, 10};
        CHECK(backward<Quad>(one_chunk, inputs, MergeGradient::exact).dq ==
              backward<Quad>(one_chunk, inputs, MergeGradient::detached).dq);
    }
}

TEST_CASE("with keys of several modes in a row the detached dq and dk are far off") {
    const Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 10);
    const auto exact = backward<Quad>(p, inputs, MergeGradient::exact);
    const auto detached = backward<Quad>(p, inputs, MergeGradient::detached);
    CHECK(worst_difference(exact.dq, detached.dq) > 0.01);
    CHECK(worst_difference(exact.dk, detached.dk) > 0.01);
}

}  // namespace
}  // namespace dca::oracle
