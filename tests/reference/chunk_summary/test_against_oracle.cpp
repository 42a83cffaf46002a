// Reference against the definition in binary128: outputs, and the gradient of every tensor.
#include "reference/chunk_summary/network.hpp"
#include "reference/chunk_summary/oracle/network.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;
using oracle::Quad;

namespace {

/// The project's figure for a double reference against its oracle; sums here have at most some hundred terms.
constexpr double agreement = 1e-13;

std::vector<Quad> wide(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("chunk summary: outputs and gradients are those of the definition in binary128") {
    std::uint64_t seed = 1;
    for (const Problem& problem : test::chunk_problems()) {
        for (const double logit_scale : {1.0, 4.0}) {
            CAPTURE(test::describe(problem), seed, logit_scale);
            const Inputs inputs = test::chunk_inputs(problem, seed++, logit_scale);
            const auto exact = oracle::convert<Quad>(inputs.tensors);
            CHECK(test::relative_difference(forward(problem, inputs), oracle::forward(problem, exact)) <= agreement);
            const Bundle<double> gradients = backward(problem, inputs);
            const Bundle<Quad> expected = oracle::backward(problem, exact, wide(inputs.dout));
            for (const TensorId id : all_tensors) {
                if (!has(problem, id)) continue;
                CAPTURE(gradient_name(id));
                CHECK(test::relative_difference(gradients[id], expected[id]) <= agreement);
            }
        }
    }
}

TEST_CASE("chunk summary: tied maxima share the gradient of the maximum") {
    // Equal keys: every score of a row ties. The share shows where the 1e-8 does, at 1e-8 of the gradient; the bound is
    // a thousandth of that.
    const Problem problem = test::chunk_problem(Scope::attention, 6, 3, 1, 2);
    Inputs inputs = test::chunk_inputs(problem, 5);
    for (std::size_t n = 2; n < inputs.tensors[TensorId::x].size(); ++n) {
        inputs.tensors[TensorId::x][n] = inputs.tensors[TensorId::x][n % 2];
    }
    const Bundle<double> gradients = backward(problem, inputs);
    const Bundle<Quad> expected = oracle::backward(problem, oracle::convert<Quad>(inputs.tensors), wide(inputs.dout));
    CHECK(test::relative_difference(gradients[TensorId::x], expected[TensorId::x]) <= 1e-11);
}

TEST_CASE("chunk summary: the bias of the keys has no gradient") {
    // A constant added to every key adds the same to all scores of a row.
    const Problem problem = test::chunk_problem(Scope::attention, 12, 4);
    const Inputs inputs = test::chunk_inputs(problem, 6);
    const std::vector<double> db = backward(problem, inputs)[TensorId::b_qkv];
    const auto hidden = static_cast<std::size_t>(problem.hidden);
    for (std::size_t c = 0; c < hidden; ++c) {
        CHECK(std::abs(db[hidden + c]) <= 1e-14);
        CHECK(std::abs(db[2 * hidden + c]) >= 1e-4);
    }
}
