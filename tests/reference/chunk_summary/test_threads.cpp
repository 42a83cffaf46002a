// The same bits for any number of threads, error scales included.
#include "reference/chunk_summary/error_scale.hpp"
#include "reference/chunk_summary/network.hpp"
#include "reference/math/parallel.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;

TEST_CASE("chunk summary: any number of threads computes the same bits") {
    // Large enough that every parallel loop shares its work.
    Problem problem = test::chunk_problem(Scope::model, 256, 64, 2, 24);
    problem.layers = 2;
    problem.embed = 40;
    problem.dtype = dca::Dtype::f32;
    const Inputs inputs = test::chunk_inputs(problem, 11);
    const int before = dca::reference::thread_count();
    dca::reference::use_threads(1);
    const std::vector<double> out = forward(problem, inputs);
    const Bundle<double> gradients = backward(problem, inputs);
    const Scales scales = error_scales(problem, inputs, out, gradients);
    for (const int threads : {2, 3}) {
        CAPTURE(threads);
        dca::reference::use_threads(threads);
        CHECK(forward(problem, inputs) == out);
        CHECK(backward(problem, inputs) == gradients);
        const Scales again = error_scales(problem, inputs, out, gradients);
        CHECK(again.out == scales.out);
        CHECK(again.gradients == scales.gradients);
    }
    dca::reference::use_threads(before);
}
