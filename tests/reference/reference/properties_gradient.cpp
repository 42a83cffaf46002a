// P17 and the closed form of the detached merge (Def.10, H34), on the reference.
#include <algorithm>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

double norm(const Tensor4& tensor) {
    long double sum = 0;
    for (double x : tensor.values()) sum += static_cast<long double>(x) * x;
    return static_cast<double>(std::sqrt(sum));
}

}  // namespace

TEST_CASE("P17: one chunk has nothing to merge and both gradients agree, more chunks tell them apart") {
    for (std::int64_t n : {5, 11}) {
        const Problem problem = test::plain_problem(n, {7, 2}, 4, 2);
        const Inputs inputs = test::random_inputs(problem, 2);
        const Outputs outputs = reference::forward(problem, inputs);
        const Gradients exact = reference::backward(problem, inputs, outputs);
        const Gradients detached =
            reference::backward(problem, inputs, outputs, reference::GradientRule::detached_merge);
        CAPTURE(n);
        CHECK(exact.dv == detached.dv);
        const double difference = test::relative_l2(detached.dq, exact.dq);
        if (n <= problem.chunk.chunk_len()) {
            CHECK(difference <= 2 * test::reference_agreement);
        } else {
            CHECK(difference >= 0.05);
        }
    }
}

TEST_CASE("P20 H34: stride 1 and one key per mode: the detached dq and dk vanish, the true ones do not") {
    for (std::int64_t n : {2, 3}) {
        const Problem problem = test::plain_problem(n, {2, 1}, 1, 1);
        const Inputs inputs = test::random_inputs(problem, 3);
        const Outputs outputs = reference::forward(problem, inputs);
        const Gradients exact = reference::backward(problem, inputs, outputs);
        const Gradients detached =
            reference::backward(problem, inputs, outputs, reference::GradientRule::detached_merge);
        const auto terms = test::term_norms(problem, inputs, 1.0);
        CAPTURE(n);
        CHECK(norm(detached.dq) <= 16 * 0x1p-53 * terms.dq);
        CHECK(norm(detached.dk) <= 16 * 0x1p-53 * terms.dk);
        CHECK(norm(exact.dq) >= 1e-3);
        CHECK(norm(exact.dk) >= 1e-3);
    }
}

TEST_CASE("P17: the gradient moves no probability mass in total, so a key direction common to all keys has none") {
    // sum_j dS_ij = 0: with rope none, dq = tau sum_j dS_ij k_j is unchanged when one vector is added to every key.
    Problem problem = test::plain_problem(23, {6, 1});
    problem.rope.layout = RopeLayout::none;
    const Inputs inputs = test::random_inputs(problem, 5);
    Inputs shifted = inputs;
    for (std::int64_t j = 0; j < 23; ++j) {
        for (std::int64_t c = 0; c < 8; ++c) shifted.k(0, j, 0, c) += 0.5 * static_cast<double>(c) - 1;
    }
    const auto dq = [&](const Inputs& in) {
        return reference::backward(problem, in, reference::forward(problem, in)).dq;
    };
    CHECK(test::relative_l2(dq(shifted), dq(inputs)) <= 10 * test::reference_agreement);
}

TEST_CASE("conservation: column sums, <dout, out> = <dv, v>, <q, dq> = <k, dk>") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, seed);
        const Outputs outputs = reference::forward(problem, inputs);
        const Gradients g = reference::backward(problem, inputs, outputs);
        const auto dot = [](const Tensor4& a, const Tensor4& b) {
            long double sum = 0, terms = 0;
            for (std::size_t n = 0; n < a.values().size(); ++n) {
                const long double term = static_cast<long double>(a.values()[n]) * b.values()[n];
                sum += term;
                terms += std::abs(term);
            }
            return std::pair{sum, terms};
        };
        const auto close = [](const auto& x, const auto& y) {
            return std::abs(x.first - y.first) <= test::reference_agreement * std::max(x.second, y.second);
        };
        CHECK(close(dot(*inputs.dout, outputs.out), dot(g.dv, inputs.v)));
        CHECK(close(dot(inputs.q, g.dq), dot(inputs.k, g.dk)));
    }
}
