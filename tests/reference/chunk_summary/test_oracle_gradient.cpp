// The oracle's gradients against forward-mode differentiation: two ways that share no line.
#include <random>

#include "reference/chunk_summary/oracle/network.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;
using oracle::Dual;
using oracle::Quad;

TEST_CASE("chunk summary: recorded gradients are the directional derivatives of dual numbers") {
    std::uint64_t seed = 100;
    for (const Problem& problem : test::chunk_problems()) {
        CAPTURE(test::describe(problem), seed);
        const Inputs inputs = test::chunk_inputs(problem, seed++, 2);
        std::vector<Quad> dout(inputs.dout.begin(), inputs.dout.end());
        const Bundle<Quad> gradients = oracle::backward(problem, oracle::convert<Quad>(inputs.tensors), dout);
        for (const TensorId id : all_tensors) {
            if (!has(problem, id)) continue;
            CAPTURE(name(id));
            std::mt19937_64 generator(seed);
            std::normal_distribution<double> normal;
            auto dual = oracle::convert<Dual<Quad>>(inputs.tensors);
            Quad expected = 0, size = 0;
            for (std::size_t n = 0; n < dual[id].size(); ++n) {
                dual[id][n].derivative = normal(generator);
                expected += gradients[id][n] * dual[id][n].derivative;
                size += fabsq(gradients[id][n] * dual[id][n].derivative);
            }
            Quad derivative = 0;
            const auto out = oracle::forward(problem, dual);
            for (std::size_t n = 0; n < out.size(); ++n) {
                derivative += dout[n] * out[n].derivative;
                size += fabsq(dout[n] * out[n].derivative);
            }
            // Sums of some thousand binary128 roundings, 1e-34 each, of terms of this size.
            CHECK(static_cast<double>(fabsq(derivative - expected)) <= 1e-29 * static_cast<double>(size));
        }
    }
}
