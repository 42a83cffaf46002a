// Bitwise the same results for any number of threads.
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

TEST_CASE("results have the same bits on 1, 2, 3 and 7 threads") {
    const int before = reference::thread_count();
    Problem problem = test::plain_problem(520, {150, 37}, 4, 2, 20);
    problem.shape.batch = 2;
    const Inputs inputs = test::random_inputs(problem, 99);
    reference::use_threads(1);
    const Outputs outputs = reference::forward(problem, inputs);
    const Gradients gradients = reference::backward(problem, inputs, outputs);
    for (int threads : {2, 3, 7}) {
        CAPTURE(threads);
        reference::use_threads(threads);
        const Outputs again = reference::forward(problem, inputs);
        const Gradients gradients_again = reference::backward(problem, inputs, again);
        CHECK(again.out == outputs.out);
        CHECK(again.lse == outputs.lse);
        CHECK(gradients_again.dq == gradients.dq);
        CHECK(gradients_again.dk == gradients.dk);
        CHECK(gradients_again.dv == gradients.dv);
    }
    reference::use_threads(before);
}
