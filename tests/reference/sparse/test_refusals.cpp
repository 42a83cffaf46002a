// What sparse_forward refuses, and that the message names it.
#include <limits>
#include <string>

#include "reference/forward.hpp"
#include "reference/refusals.hpp"
#include "reference/sparse/forward.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::sparse_test;

namespace {

/// The message of the error that the case ends in, "" if there is none.
template <class Expected>
std::string message(const SparseCase& given) {
    try {
        (void)sparse::sparse_forward(given.problem, given.inputs, given.config);
    } catch (const Expected& error) {
        return error.what();
    }
    return "";
}

bool has(const std::string& text, const char* part) {
    CAPTURE(text, part);
    return text.find(part) != std::string::npos;
}

SparseCase with(void (*change)(SparseCase&)) {
    SparseCase given = plain_sparse_case(20, 8, 31, 100, 1, 2);
    given.config.rules = sparse::sglang_later_rules;
    change(given);
    return given;
}

}  // namespace

TEST_CASE("sizes that do not fit the problem are refused") {
    const auto refused = [](void (*change)(SparseCase&)) { return message<InvalidProblem>(with(change)); };
    CHECK(has(refused([](SparseCase& c) { c.config.vertical_size = {}; }), "vertical_size has 0 values"));
    CHECK(has(refused([](SparseCase& c) { c.config.vertical_size = {1, 2, 3}; }), "each of the 2 query heads"));
    CHECK(has(refused([](SparseCase& c) { c.config.slash_size = {5, 0}; }), "slash_size is 0"));
    CHECK(has(refused([](SparseCase& c) { c.config.last_q = 0; }), "last_q"));
    CHECK(has(refused([](SparseCase& c) { c.config.block = 0; }), "block"));
    CHECK(has(refused([](SparseCase& c) { c.config.forced_verticals = -1; }), "forced_verticals"));
    CHECK(has(refused([](SparseCase& c) { c.config.forced_slashes = -1; }), "forced_slashes"));
    CHECK(has(refused([](SparseCase& c) { c.config.threshold = -1; }), "threshold"));
    CHECK(has(refused([](SparseCase& c) { c.config.prompt_length = {0}; }), "prompt_length"));
    CHECK(has(refused([](SparseCase& c) { c.config.prompt_length = {20, 20}; }), "there are 1 sequences"));
    CHECK(has(refused([](SparseCase& c) { c.problem.chunk.local_size = 12; }), "chunk_size"));
    CHECK(has(refused([](SparseCase& c) { c.inputs.k = Tensor4({1, 3, 1, 8}); }), "k does not have the shape"));
    CHECK(has(refused([](SparseCase& c) { c.inputs.q(0, 19, 0, 0) = c.inputs.k(0, 0, 0, 0) = 1e200; }), "overflow"));
    CHECK(message<Error>(with([](SparseCase&) {})).empty());
}

TEST_CASE("a query without a key of its own is refused, rows before every key are empty") {
    SparseCase given = plain_sparse_case(20, 8, 31, 100, 1);
    given.config.rules = sparse::sglang_later_rules;
    given.problem.query_offset = 1;
    CHECK(has(message<Unsupported>(given), "every query needs a key of its own"));
    given.problem.query_offset = -3;
    const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
    CHECK(outputs.lse(0, 0, 2) == -std::numeric_limits<double>::infinity());
    CHECK(outputs.out(0, 2, 0, 0) == 0);
    CHECK(std::isfinite(outputs.lse(0, 0, 3)));
}

TEST_CASE("where the published code fails the message names the hazard") {
    CHECK(has(message<Unsupported>(plain_sparse_case(260, 130, 3, 100, 4)), "(H55)"));
    CHECK(has(message<Unsupported>(plain_sparse_case(140, 130, 31, 5, 4)), "(H54)"));
    // A first segment of 8 keys leaves 8 of 100 slashes (H53), and the second segment needs 9 to reach its own chunk.
    CHECK(has(message<Unsupported>(plain_sparse_case(20, 8, 31, 100, 1)), "(H54)"));
}

TEST_CASE("the facts of a problem become a configuration, one prompt length for each sequence with tokens") {
    Problem problem = test::plain_problem(20, {12, 4}, 2, 1);
    problem.facts.sparse_vertical_size = {7};
    problem.facts.sparse_slash_size = {5, 6};
    sparse::SparseConfig expected;
    expected.vertical_size = {7};
    expected.slash_size = {5, 6};
    CHECK(sparse::config_of(problem) == expected);  // the rest as published
    problem.cu_seqlens = {0, 5, 5, 20};
    problem.facts.prompt_length = {9, 8, 30};
    problem.facts.sparse_last_q = 3;
    problem.facts.sparse_block = 4;
    problem.facts.sparse_forced_verticals = 0;
    problem.facts.sparse_forced_slashes = 2;
    problem.facts.sparse_threshold = 10;
    problem.facts.sparse_rules = SparseRules::sglang_later;
    const std::vector<std::int64_t> sizes{5, 6}, prompts{9, 30};
    CHECK(sparse::config_of(problem) ==
          sparse::SparseConfig{{7}, sizes, 3, 4, 0, 2, 10, prompts, sparse::sglang_later_rules});
    CHECK_THROWS_AS(sparse::config_of(Problem{}), ContractError);
}

TEST_CASE("sparse facts: both sizes or none, prefill alone, dialects that have it, no gradients") {
    const auto why = [](void (*change)(Problem&), bool gradients = false) -> std::string {
        Problem problem = test::plain_problem(20, {12, 4}, 2, 1);
        problem.facts.sparse_vertical_size = problem.facts.sparse_slash_size = {7};
        change(problem);
        try {
            validate(problem);
            reference::require_reproducible(problem, gradients);
            reference::require_dense(problem);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    CHECK(has(why([](Problem& p) { p.facts.sparse_vertical_size = {}; }), "slash_size is given without"));
    CHECK(has(why([](Problem& p) { p.facts.sparse_slash_size = {}; }), "vertical_size is given without"));
    CHECK(has(why([](Problem& p) {
                  p.facts = DialectFacts{};
                  p.facts.sparse_threshold = 5;
              }),
              "dialect_sparse_* facts are given without"));
    CHECK(has(why([](Problem& p) { p.facts.sparse_slash_size = {1, 2, 3}; }), "each of the 2 query heads"));
    CHECK(has(why([](Problem& p) { p.facts.sparse_slash_size = {0}; }), "must be at least 1"));
    CHECK(has(why([](Problem& p) { p.dialect = "chunkqwen"; }), "only vllm and sglang have a sparse prefill"));
    for (const char* dialect : {"exact", "vllm", "sglang"}) {
        CAPTURE(dialect);
        Problem problem = test::plain_problem(20, {12, 4}, 2, 1);
        problem.facts.sparse_vertical_size = problem.facts.sparse_slash_size = {7};
        problem.dialect = dialect;
        CHECK_NOTHROW(reference::require_reproducible(problem));
        CHECK_THROWS_AS(reference::require_reproducible(problem, true), Unsupported);
        CHECK_THROWS_AS(reference::forward(problem, test::random_inputs(problem, 1)), Unsupported);
        problem.facts.phase = Phase::decode;
        CHECK_NOTHROW(reference::require_reproducible(problem, true));
        CHECK_NOTHROW(reference::forward(problem, test::random_inputs(problem, 1)));
    }
    CHECK(has(why([](Problem&) {}), "this computes dense attention"));
    CHECK(has(why([](Problem&) {}, true), "gradient=0"));
    // exact checks the number of prompts too, which the threshold needs.
    CHECK(has(why([](Problem& p) { p.facts.prompt_length = {1, 2, 3}; }), "3 values for 1 sequences"));
}
