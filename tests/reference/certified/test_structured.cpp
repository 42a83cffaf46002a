// Cases in which exact results are zeros, ties or representable, shapes beside the tiles, and what is refused.
#include <cmath>

#include "reference/backward.hpp"
#include "reference/certified/certified.hpp"
#include "reference/forward.hpp"
#include "reference/numbers/interval.hpp"
#include "reference/oracle/attention.hpp"
#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using certified::CertifiedResults;

namespace {

void check_all_rounded(const CertifiedResults& results) {
    for (const auto& [tensor, proof] : results.proofs) {
        INFO(tensor << ": " << proof.undecided << " undecided");
        CHECK(proof.correctly_rounded);
    }
}

/// Rounded from binary128, whose own error is far below half an ulp.
void check_near_oracle(const Problem& problem, const Inputs& inputs, const CertifiedResults& got) {
    const auto exact = oracle::forward<oracle::Quad>(problem, inputs);
    const auto gradients = oracle::backward<oracle::Quad>(problem, inputs);
    const double bound = 0x1p-53;  // every element is rounded once
    CHECK(test::relative_l2(got.outputs.out, exact.out) <= bound);
    CHECK(test::relative_l2(got.outputs.lse, exact.lse) <= bound);
    CHECK(test::relative_l2(got.gradients->dq, gradients.dq) <= bound);
    CHECK(test::relative_l2(got.gradients->dk, gradients.dk) <= bound);
    CHECK(test::relative_l2(got.gradients->dv, gradients.dv) <= bound);
}

}  // namespace

TEST_CASE("certified: rows that see one key, none, and keys that nobody sees are exact") {
    Problem problem = test::plain_problem(6, {4, 1}, 2, 1, 4);
    problem.shape.seq_q = 3;
    problem.query_offset = -1;  // row 0 sees nothing, row 1 one key, row 2 two of six
    const Inputs inputs = test::random_inputs(problem, 7);
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    for (std::int64_t head = 0; head < 2; ++head) {
        CHECK(got.outputs.lse(0, head, 0) == -std::numeric_limits<double>::infinity());
        for (std::int64_t e = 0; e < 4; ++e) {
            CHECK(got.outputs.out(0, 0, head, e) == 0);
            CHECK(got.outputs.out(0, 1, head, e) == inputs.v(0, 0, 0, e));
            CHECK(got.gradients->dq(0, 0, head, e) == 0);
            CHECK(got.gradients->dq(0, 1, head, e) == 0);
            CHECK(got.gradients->dq(0, 2, head, e) != 0);
            for (std::int64_t key = 2; key < 6; ++key) {
                CHECK(got.gradients->dk(0, key, 0, e) == 0);
                CHECK(got.gradients->dv(0, key, 0, e) == 0);
            }
        }
    }
}

TEST_CASE("certified: a single token with grouped heads sums dout exactly, ties included") {
    Problem problem = test::plain_problem(1, {4, 1}, 2, 1, 4);
    Inputs inputs = test::random_inputs(problem, 8);
    for (std::int64_t e = 0; e < 4; ++e) {
        inputs.dout->operator()(0, 0, 0, e) = 1 + static_cast<double>(e) * 0x1p-52;
        inputs.dout->operator()(0, 0, 1, e) = 0x1p-53;
    }
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    for (std::int64_t e = 0; e < 4; ++e) {
        // 1 + e ulp + half an ulp: to even
        const double expected = 1 + static_cast<double>(e + e % 2) * 0x1p-52;
        CHECK(got.gradients->dv(0, 0, 0, e) == expected);
        CHECK(got.gradients->dk(0, 0, 0, e) == 0);
        CHECK(got.gradients->dq(0, 0, 0, e) == 0);
    }
}

TEST_CASE("certified: equal logits average, equal values leave no gradient") {
    Problem problem = test::plain_problem(9, {5, 2}, 2, 1, 4);
    Inputs inputs = test::random_inputs(problem, 9);
    std::ranges::fill(inputs.q.values(), 0.0);
    CertifiedResults got = certified::certified(problem, inputs);
    // Not dv: A / 8 + B / 9 can be a tie, which no interval around B / 9 can confirm.
    for (const char* tensor : {"out", "lse", "dq", "dk"}) CHECK(got.proofs.at(tensor).correctly_rounded);
    CHECK(got.proofs.at("dv").undecided <= 2);
    for (std::int64_t e = 0; e < 4; ++e) {
        // Half of the sum of two doubles is often a tie. One addition, correctly rounded, and an exact halving.
        CHECK(got.outputs.out(0, 1, 0, e) == (inputs.v(0, 0, 0, e) + inputs.v(0, 1, 0, e)) / 2);
        for (std::int64_t key = 0; key < 9; ++key) CHECK(got.gradients->dk(0, key, 0, e) == 0);
    }
    CHECK(got.outputs.lse(0, 0, 1) == std::log(2.0));

    inputs = test::random_inputs(problem, 10);
    for (std::size_t n = 0; n < inputs.v.values().size(); ++n) inputs.v.values()[n] = 0.1 * static_cast<double>(n % 4);
    got = certified::certified(problem, inputs);
    check_all_rounded(got);
    for (std::int64_t row = 0; row < 9; ++row) {
        for (std::int64_t e = 0; e < 4; ++e) {
            CHECK(got.outputs.out(0, row, 1, e) == inputs.v(0, 0, 0, e));
            CHECK(got.gradients->dq(0, row, 1, e) == 0);
            CHECK(got.gradients->dk(0, row, 0, e) == 0);
        }
    }
}

TEST_CASE("certified: rows without dout, channels without values or keys") {
    Problem problem = test::plain_problem(40, {16, 5}, 2, 1, 6);
    Inputs inputs = test::random_inputs(problem, 11);
    for (std::int64_t row = 0; row < 40; ++row) {
        inputs.v(0, row, 0, 2) = 0;
        for (std::int64_t head = 0; head < 2; ++head) {
            for (std::int64_t e = 0; e < 6; ++e) {
                if (row != 17 || e == 1) inputs.dout->operator()(0, row, head, e) = 0;
            }
        }
    }
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    check_near_oracle(problem, inputs, got);
    for (std::int64_t row = 0; row < 40; ++row) {
        CHECK(got.outputs.out(0, row, 0, 2) == 0);
        CHECK(got.gradients->dv(0, row, 0, 1) == 0);
        if (row != 17) CHECK(got.gradients->dq(0, row, 0, 0) == 0);
        if (row > 17) CHECK(got.gradients->dk(0, row, 0, 0) == 0);
    }
}

TEST_CASE("certified: sizes around the tiles and magnitudes far from one") {
    for (const auto& [n, chunk_len, local, head_dim] :
         {std::array<std::int64_t, 4>{97, 100, 10, 4}, {257, 130, 20, 6}, {129, 64, 64, 18}, {205, 1, 3, 2}}) {
        Problem problem = test::plain_problem(n, {chunk_len + local, local}, 2, 1, head_dim);
        problem.shape.head_dim_v = head_dim + 1;
        INFO(test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, static_cast<std::uint64_t>(n));
        const CertifiedResults got = certified::certified(problem, inputs);
        check_all_rounded(got);
        check_near_oracle(problem, inputs, got);
    }
    Problem problem = test::plain_problem(30, {12, 4}, 2, 1, 8);
    Inputs inputs = test::random_inputs(problem, 3, 6.0);  // logits up to a few hundred: probabilities of 1e-100
    for (double& x : inputs.v.values()) x *= 0x1p300;
    for (double& x : inputs.dout->values()) x *= 0x1p-300;
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    check_near_oracle(problem, inputs, got);
}

TEST_CASE("certified: positions near 2^31 lose nothing") {
    Problem problem = test::plain_problem(20, {std::int64_t{1} << 31, 0}, 2, 1, 16);
    problem.shape.seq_q = 1;
    problem.query_offset = (std::int64_t{1} << 31) - 2;
    const Inputs inputs = test::random_inputs(problem, 31);
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    check_near_oracle(problem, inputs, got);
}

TEST_CASE("certified: the paper's position maps") {
    Problem problem = test::plain_problem(50, {12, 4}, 2, 1, 8);
    problem.dialect = "paper";
    const Inputs inputs = test::random_inputs(problem, 12);
    const CertifiedResults got = certified::certified(problem, inputs);
    check_all_rounded(got);
    const Outputs plain = reference::forward(problem, inputs);
    const Gradients gradients = reference::backward(problem, inputs, plain);
    constexpr double agreement = 1e-13;  // what the double path owes (tests/support/agreement.hpp)
    CHECK(test::relative_l2(plain.out, got.outputs.out) <= agreement);
    CHECK(test::relative_l2(gradients.dq, got.gradients->dq) <= agreement);
    CHECK(test::relative_l2(gradients.dk, got.gradients->dk) <= agreement);
    CHECK(test::relative_l2(gradients.dv, got.gradients->dv) <= agreement);
}

TEST_CASE("certified: what cannot be certified is refused") {
    Problem problem = test::plain_problem(8, {4, 1});
    Inputs inputs = test::random_inputs(problem, 13);
    problem.dialect = "vllm";
    CHECK_THROWS_AS(certified::certified(problem, inputs), Unsupported);
    problem.dialect = "exact";
    problem.facts.sparse_vertical_size = {4};
    problem.facts.sparse_slash_size = {4};
    CHECK_THROWS_AS(certified::certified(problem, inputs), Unsupported);
    problem.facts = {};
    inputs.q(0, 3, 0, 0) = 1e7;
    CHECK_THROWS_AS(certified::certified(problem, inputs), Unsupported);
    inputs.q(0, 3, 0, 0) = 1;
    inputs.v(0, 3, 0, 0) = 1e200;
    CHECK_THROWS_AS(certified::certified(problem, inputs), Unsupported);
}
