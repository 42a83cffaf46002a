// What the reference refuses, with the words it uses.
#include <string>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

template <class F>
std::string message_of(F call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("unknown dialects, wrong shapes and overflowing logits are refused by name") {
    Problem problem = test::plain_problem(6, {4, 1});
    Inputs inputs = test::random_inputs(problem, 1);

    problem.dialect = "vlllm";
    const std::string unknown = message_of([&] { (void)reference::forward(problem, inputs); });
    CHECK(contains(unknown, "dialect 'vlllm' is not known; there are exact paper chunkllama "));
    problem.dialect = "exact";

    Inputs short_k = inputs;
    short_k.k = Tensor4({1, 5, 1, 8});
    CHECK(contains(message_of([&] { (void)reference::forward(problem, short_k); }), "k does not have the shape"));

    Inputs nan_v = inputs;
    nan_v.v.values()[3] = std::nan("");
    CHECK(contains(message_of([&] { (void)reference::forward(problem, nan_v); }),
                   "v has a non-finite value (nan) at flat index 3"));

    Inputs huge = inputs;
    for (double& x : huge.q.values()) x = 1e200;
    for (double& x : huge.k.values()) x = 1e200;
    CHECK(contains(message_of([&] { (void)reference::forward(problem, huge); }), "overflow double precision"));

    Inputs no_dout = inputs;
    no_dout.dout.reset();
    const Outputs outputs = reference::forward(problem, inputs);
    REQUIRE_THROWS_AS(reference::backward(problem, no_dout, outputs), ContractError);
}
