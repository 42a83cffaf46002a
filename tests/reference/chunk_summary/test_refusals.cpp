// What cannot be run, with the message that says why.
#include "reference/chunk_summary/network.hpp"
#include "reference/spec/error.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;

namespace {

std::string refusal(const Problem& problem) {
    try {
        validate(problem);
    } catch (const dca::InvalidProblem& error) {
        return error.what();
    }
    return "accepted";
}

bool says(const std::string& message, const std::string& words) {
    UNSCOPED_INFO(message);
    return message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("chunk summary: whole chunks only, and the trap of the defaults is named (H60)") {
    const std::string message = refusal(test::chunk_problem(Scope::model, 60, 64));
    CHECK(says(message, "seq_len 60 is not a multiple of chunk_size 64"));
    CHECK(says(message, "seq_len 60 and chunk_size 64"));
    CHECK(says(message, "H60"));
    CHECK(refusal(test::chunk_problem(Scope::model, 64, 64)) == "accepted");
    CHECK(says(refusal(test::chunk_problem(Scope::attention, 7, 3)), "seq_len 7 is not a multiple of chunk_size 3"));
    const Problem problem = test::chunk_problem(Scope::attention, 7, 3);
    CHECK_THROWS_AS(forward(problem, test::chunk_inputs(problem, 1)), dca::InvalidProblem);
}

TEST_CASE("chunk summary: impossible sizes and types are named") {
    const Problem good = test::chunk_problem(Scope::attention, 4, 2);
    const auto with = [&](const auto& change) {
        Problem p = good;
        change(p);
        return refusal(p);
    };
    CHECK(says(with([](Problem& p) { p.batch = 0; }), "batch is 0"));
    CHECK(says(with([](Problem& p) { p.chunk_size = 0; }), "chunk_size is 0"));
    CHECK(says(with([](Problem& p) { p.chunk_size = -2; }), "chunk_size is -2"));
    CHECK(says(with([](Problem& p) { p.heads = 4; }), "hidden 6 is not a multiple of heads 4"));
    CHECK(says(with([](Problem& p) { p.heads = 0; }), "heads is 0"));
    CHECK(says(with([](Problem& p) { p.embed = 5; }), "only scope model has an input projection"));
    CHECK(says(with([](Problem& p) { p.layers = 2; }), "layers belongs to scope model"));
    CHECK(says(with([](Problem& p) { p.pooling = Pooling::all; }), "pooling belongs to scope model"));
    CHECK(says(with([](Problem& p) { p.dtype = dca::Dtype::e4m3; }), "dtype e4m3 is not supported"));
    CHECK(says(with([](Problem& p) {
                   p.batch = 1 << 20;
                   p.seq_len = 1 << 24;
               }),
               "more than 2^40 elements"));
}

TEST_CASE("chunk summary: inputs that do not fit their problem are named") {
    const Problem problem = test::chunk_problem(Scope::attention, 4, 2);
    const auto with = [&](const auto& change) {
        Inputs inputs = test::chunk_inputs(problem, 1);
        change(inputs);
        try {
            validate(problem, inputs);
        } catch (const dca::InvalidProblem& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    CHECK(with([](Inputs&) {}) == "accepted");
    CHECK(says(with([](Inputs& in) { in.tensors[TensorId::w_out].pop_back(); }),
               "w_out has 35 elements, the problem needs 36"));
    CHECK(says(with([](Inputs& in) { in.tensors[TensorId::w_up] = {1}; }), "w_up has 1 elements, the problem needs 0"));
    CHECK(says(with([](Inputs& in) { in.tensors[TensorId::x][3] = NAN; }), "x must be finite"));
    CHECK(says(with([](Inputs& in) { in.dout.push_back(0); }), "dout has 25 elements"));
}
