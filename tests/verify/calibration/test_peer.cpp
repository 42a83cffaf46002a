// The peer computes Dual Chunk Attention: every feature of the definition, against the oracle.
#include <cmath>
#include <random>

#include "reference/oracle/attention.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"
#include "verify/peer/peer.hpp"
#include "verify/peer/rounder.hpp"

namespace dca::test {

TEST_CASE("the f64 peer agrees with the oracle", "[peer]") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const Problem problem = random_problem(seed);
        const Inputs inputs = random_inputs(problem, seed);
        const peer::PeerResult got = peer::run_peer(problem, inputs);
        const auto outputs = oracle::forward<long double>(problem, inputs);
        const auto gradients = oracle::backward<long double>(problem, inputs);
        INFO("seed " << seed << ": " << describe(problem));
        // Sums of at most 60 + 24 terms, five of them in a row, each 84 u relative to its parts, which cancel by 100.
        constexpr double bound = 5 * 84 * 100 * 0x1p-53;
        CHECK(relative_l2(got.outputs.out, outputs.out) <= bound);
        CHECK(relative_l2(got.outputs.lse, outputs.lse) <= bound);
        REQUIRE(got.gradients.has_value());
        // dq and dk of rows with one key vanish: relative to what their terms are, not to what is left of them.
        CHECK(max_abs_difference(got.gradients->dq, gradients.dq) <= bound);
        CHECK(max_abs_difference(got.gradients->dk, gradients.dk) <= bound);
        CHECK(max_abs_difference(got.gradients->dv, gradients.dv) <= bound);
    }
}

TEST_CASE("the peer's rounding is that of the formats", "[peer]") {
    std::mt19937_64 engine(1);
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        const peer::Rounder round(dtype);
        for (int n = 0; n < 20000; ++n) {
            const double size = std::ldexp(1.0, static_cast<int>(engine() % 60) - 40);
            double x = size * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1);
            if (n % 3 == 0)
                x = round_to(dtype, x) + (engine() % 2 == 0 ? 1 : -1) * unit_roundoff(dtype) *
                                             std::exp2(std::floor(std::log2(std::abs(x))));  // ties
            const double expected = round_to(dtype, x), got = round(x);
            INFO(name(dtype) << " " << x);
            CHECK((got == expected || (std::isnan(got) && std::isnan(expected))));
        }
    }
}

TEST_CASE("the peer refuses what it does not compute", "[peer]") {
    Problem problem = plain_problem(8, {4, 1});
    const Inputs inputs = random_inputs(problem, 1);
    problem.dialect = "vllm";
    CHECK_THROWS_AS(peer::run_peer(problem, inputs), Unsupported);
    problem.dialect = "exact";
    problem.facts.sparse_vertical_size = problem.facts.sparse_slash_size = {4};
    CHECK_THROWS_AS(peer::run_peer(problem, inputs), Unsupported);
    problem.facts = {};
    problem.work.output = Dtype::e4m3;
    CHECK_THROWS_AS(peer::run_peer(problem, inputs), InvalidProblem);
}

}  // namespace dca::test
