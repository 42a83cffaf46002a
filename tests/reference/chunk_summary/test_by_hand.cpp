// Numbers anybody can check: what chunk-summary attention is not (docs/chunk_summary.md), and its literal constants.
#include <cmath>

#include "reference/chunk_summary/network.hpp"
#include "reference/chunk_summary/oracle/network.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;

namespace {

std::vector<double> both(const Problem& problem, const Inputs& inputs) {
    const std::vector<double> out = forward(problem, inputs);
    CHECK(test::relative_difference(out, oracle::forward(problem, inputs.tensors)) <= 1e-14);
    return out;
}

bool near(double got, double expected, double relative) {
    return std::abs(got - expected) <= relative * std::abs(expected);
}

}  // namespace

TEST_CASE("chunk summary is not causal inside a chunk (H59)") {
    const Problem problem = test::chunk_problem(Scope::attention, 2, 2, 1, 2);
    const std::vector<double> before = both(problem, test::identity_inputs({1, 0, 0, 1}, 2));
    const std::vector<double> after = both(problem, test::identity_inputs({1, 0, 0, 3}, 2));
    // Token 0 sees itself (weight 1) and the mean of both tokens, half each: only the two 1e-8 keep the figures from
    // being exact.
    CHECK(std::abs(before[0] - 0.75) <= 1e-8);
    CHECK(std::abs(before[1] - 0.25) <= 1e-8);
    CHECK(std::abs(after[0] - 0.75) <= 1e-8);
    CHECK(std::abs(after[1] - 0.75) <= 1e-8);
    const std::vector<double> further = both(problem, test::identity_inputs({1, 0, 0, 5}, 2));
    CHECK(std::abs(further[1] - 1.25) <= 1.25e-8);
}

TEST_CASE("chunk summary: the 1e-8 in the denominator shows in double and not in float") {
    const Problem problem = test::chunk_problem(Scope::attention, 4, 2, 1, 1);
    Inputs ones = test::identity_inputs({1, 1, 1, 1}, 1);
    const std::vector<double> out = both(problem, ones);
    // Row 0 of a chunk has one weight 1 / (1 + 1e-8), row 1 two of 1 / (2 + 1e-8); the summaries likewise.
    const double one = 1 / (1 + 1e-8), two = 2 / (2 + 1e-8);
    CHECK(near(out[0], (one + one) / 2, 1e-15));
    CHECK(near(out[1], (two + one) / 2, 1e-15));
    CHECK(near(out[2], (one + two) / 2, 1e-15));
    CHECK(near(out[3], two, 1e-15));
    for (const double value : out) {
        CHECK(1 - value >= 4e-9);
        CHECK(1 - value <= 1.1e-8);
    }
    for (const float value : oracle::forward(problem, oracle::convert<float>(ones.tensors))) CHECK(value == 1.0F);
}

TEST_CASE("chunk summary has no positions: whole chunks may trade places as keys") {
    // The last chunk attends to the summaries of all chunks before it, in any order.
    const Problem problem = test::chunk_problem(Scope::attention, 9, 3);
    Inputs inputs = test::chunk_inputs(problem, 3);
    const std::vector<double> before = both(problem, inputs);
    auto& x = inputs.tensors[TensorId::x];
    const auto chunk = static_cast<std::ptrdiff_t>(3 * problem.hidden);
    std::swap_ranges(x.begin(), x.begin() + chunk, x.begin() + chunk);
    const std::vector<double> after = both(problem, inputs);
    for (std::size_t n = static_cast<std::size_t>(2 * chunk); n < after.size(); ++n) {
        CHECK(near(after[n], before[n], 1e-13));
    }
}

TEST_CASE("chunk summary: a masked score is -1e9, not minus infinity") {
    // Visible scores far below -1e9: the masked ones win, and token 0 of a chunk reads its future.
    const Problem problem = test::chunk_problem(Scope::attention, 2, 2, 1, 1);
    Inputs inputs = test::identity_inputs({1e5, 2e5}, 1);
    inputs.tensors[TensorId::w_qkv] = {-1, 1, 1};
    inputs.tensors[TensorId::gamma] = {-800};  // the gate is 0 in double: intra alone
    const std::vector<double> out = both(problem, inputs);
    CHECK(near(out[0], 2e5, 1e-7));
    CHECK(near(out[1], 1e5, 1e-7));
}
