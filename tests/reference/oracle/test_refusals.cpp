// What the oracle refuses, and how.
#include <limits>

#include "tests/reference/oracle/cases.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

TEST_CASE("a dialect other than exact is unsupported") {
    Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 1);
    p.dialect = "vllm";
    CHECK_THROWS_AS(forward<double>(p, inputs), Unsupported);
    CHECK_THROWS_AS(backward<double>(p, inputs), Unsupported);
}

TEST_CASE("an invalid problem, a wrong shape or a NaN is an invalid problem") {
    const Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 1);

    Problem no_stride = p;
    no_stride.chunk = {4, 4};
    CHECK_THROWS_AS(forward<double>(no_stride, inputs), InvalidProblem);

    Problem longer = p;
    longer.shape.seq_k += 1;
    CHECK_THROWS_AS(forward<double>(longer, inputs), InvalidProblem);
    CHECK_THROWS_AS(forward<Quad>(longer, convert<Quad>(inputs)), InvalidProblem);
    CHECK_THROWS_AS(backward<Quad>(longer, convert<Quad>(inputs)), InvalidProblem);

    Inputs with_nan = inputs;
    with_nan.k(0, 1, 0, 0) = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(forward<double>(p, with_nan), InvalidProblem);
}

TEST_CASE("backward without dout is a broken contract") {
    const Problem p = feature_problems().front().problem;
    Inputs inputs = random_inputs(p, 1);
    inputs.dout.reset();
    CHECK_THROWS_AS(backward<double>(p, inputs), ContractError);
}

}  // namespace
}  // namespace dca::oracle
