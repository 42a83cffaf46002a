// The proven radius of the double path against its errors from binary128.
#include "reference/plain_bound.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

/// Largest |got - exact|; equal infinities do not differ, NaN is infinitely wrong.
template <int Rank>
double largest_error(const Tensor<double, Rank>& got, const Tensor<oracle::Quad, Rank>& exact) {
    double worst = 0;
    for (std::size_t n = 0; n < got.values().size(); ++n) {
        if (std::isinf(got.values()[n]) && static_cast<double>(exact.values()[n]) == got.values()[n]) continue;
        const auto error = static_cast<double>(got.values()[n] - exact.values()[n]);
        worst = std::isnan(error) ? HUGE_VAL : std::max(worst, std::abs(error));
    }
    return worst;
}

/// Radius over error of each tensor; the worst (smallest) and the loosest (largest) seen.
struct Looseness {
    double tightest = HUGE_VAL, loosest = 0;
    void add(const reference::ErrorRadius& bound, double error) {
        REQUIRE(bound.proven);
        REQUIRE(error <= bound.radius);
        if (error == 0) return;  // exact by luck: says nothing about the radius
        tightest = std::min(tightest, bound.radius / error);
        loosest = std::max(loosest, bound.radius / error);
    }
};

struct Loosenesses {
    Looseness out, lse, dq, dk, dv;
    void add(const Problem& problem, const Inputs& inputs) {
        const Outputs outputs = reference::forward(problem, inputs);
        const Gradients gradients = reference::backward(problem, inputs, outputs);
        const reference::PlainBounds bounds = reference::plain_bounds(problem, inputs, outputs);
        const auto exact = oracle::forward<oracle::Quad>(problem, inputs);
        const auto exact_gradients = oracle::backward<oracle::Quad>(problem, inputs);
        out.add(bounds.out, largest_error(outputs.out, exact.out));
        lse.add(bounds.lse, largest_error(outputs.lse, exact.lse));
        dq.add(bounds.dq, largest_error(gradients.dq, exact_gradients.dq));
        dk.add(bounds.dk, largest_error(gradients.dk, exact_gradients.dk));
        dv.add(bounds.dv, largest_error(gradients.dv, exact_gradients.dv));
    }
    [[nodiscard]] std::string text() const {
        std::string all = "radius / error of out, lse, dq, dk, dv:";
        for (const Looseness* of : {&out, &lse, &dq, &dk, &dv}) {
            all += " " + std::to_string(of->tightest) + " .. " + std::to_string(of->loosest);
        }
        return all;
    }
};

}  // namespace

TEST_CASE("errors of the double path are within the proven radius on random problems, which says something") {
    constexpr double logit_scales[] = {1.0, 0.3, 3.0};
    Loosenesses all;
    for (std::uint64_t seed = 1001; seed <= 1060; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        all.add(problem, test::random_inputs(problem, seed, logit_scales[seed % 3]));
    }
    INFO(all.text());
    // 1e4: the worst case adds absolute values where errors of random sign cancel, about the root of the number of
    // terms in each of the sums that follow each other. Single tiny problems may be exact by luck, so the tightest
    // counts.
    for (const Looseness* of : {&all.out, &all.lse, &all.dq, &all.dk, &all.dv}) CHECK(of->tightest <= 1e4);
}

TEST_CASE("the proven radius of a head of 128 channels and several tiles") {
    Problem problem = test::plain_problem(300, {150, 37}, 1, 1, 128);
    Loosenesses all;
    all.add(problem, test::random_inputs(problem, 4));
    INFO(all.text());
    // Measured 1.1e3, 2e2, 3e4, 1.4e5, 4e3: in dq and dk the bound of |dP| is that of parallel vectors, 11 times what
    // 128 random channels give, in each of two factors.
    CHECK(all.out.loosest <= 1e4);
    CHECK(all.lse.loosest <= 1e4);
    CHECK(all.dq.loosest <= 1e5);
    CHECK(all.dk.loosest <= 5e5);
    CHECK(all.dv.loosest <= 1e4);
}

TEST_CASE("no radius where nothing is proven") {
    Problem problem = test::plain_problem(40, {20, 5});
    const auto bounds_of = [&](const Problem& p, double scale) {
        const Inputs inputs = test::random_inputs(p, 5, scale);
        return reference::plain_bounds(p, inputs, reference::forward(p, inputs));
    };
    CHECK(bounds_of(problem, 1).out.proven);
    CHECK(bounds_of(problem, 1).dk.proven);
    // Logits of 1e12 have no digits left after the point.
    const reference::PlainBounds wide = bounds_of(problem, 1e6);
    CHECK(!wide.out.proven);
    CHECK(std::isinf(wide.out.radius));
    for (const char* dialect : {"chunkllama", "vllm", "llama_cpp_dca", "zerollama"}) {
        CAPTURE(dialect);
        Problem other = problem;
        other.dialect = dialect;
        const reference::PlainBounds bounds = bounds_of(other, 1);
        CHECK(!bounds.out.proven);
        CHECK(std::isinf(bounds.dv.radius));
    }
    problem.dialect = "paper";
    CHECK(bounds_of(problem, 1).dq.proven);
}
