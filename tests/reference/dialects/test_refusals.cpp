// Where published code fails, its dialect refuses, names the hazard, and runs right beside the refused range.
#include "reference/forward.hpp"
#include "reference/refusals.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

Problem problem_of(const std::string& dialect, std::int64_t n = 12, ChunkConfig chunk = {6, 2}) {
    Problem problem = test::plain_problem(n, chunk, 2, 2);
    problem.dialect = dialect;
    return problem;
}

/// The hazard a refusal names, "" where the problem is accepted, the whole message where it names none.
std::string hazard(const Problem& problem) {
    validate(problem);
    try {
        reference::require_reproducible(problem);
    } catch (const Unsupported& error) {
        const std::string message = error.what();
        CHECK(message.starts_with("dialect " + problem.dialect + " cannot run this: "));
        const std::size_t open = message.rfind("(H");
        return open == std::string::npos ? message : message.substr(open + 1, message.size() - open - 2);
    }
    return "";
}

template <class Change>
std::string hazard(Problem problem, Change change) {
    change(problem);
    return hazard(problem);
}

}  // namespace

TEST_CASE("megatron_pr4048 cannot look up positions past its table: L < n <= min(2L - 1, C) (H43)") {
    for (const ChunkConfig chunk :
         {ChunkConfig{6, 2}, ChunkConfig{9, 4}, ChunkConfig{9, 6}, ChunkConfig{2, 1}, ChunkConfig{6, 0}}) {
        const std::int64_t len = chunk.chunk_len(), last = std::min(2 * len - 1, chunk.chunk_size);
        for (std::int64_t n = 1; n <= 3 * chunk.chunk_size; ++n) {
            CAPTURE(chunk.chunk_size, chunk.local_size, n);
            const bool crashes = n > len && n <= last;
            CHECK(hazard(problem_of("megatron_pr4048", n, chunk)) == (crashes ? "H43" : ""));
            CHECK(hazard(problem_of("megatron_pr4048", n, chunk), [&](Problem& p) { p.facts.table_rows = last + 1; }) ==
                  "");
        }
    }
}

TEST_CASE("what each code lacks is refused with its hazard") {
    CHECK(hazard(problem_of("chunkqwen"), [](Problem& p) { p.shape.heads_kv = 1; }) == "H39");
    CHECK(hazard(problem_of("chunkllama"), [](Problem& p) { p.shape.heads_kv = 1; }) == "");
    for (const char* dialect : {"chunkllama", "chunkqwen"}) {
        CHECK(hazard(problem_of(dialect, 5, {2, 1})) == "H7");
        CHECK(hazard(problem_of(dialect, 5, {3, 1})) == "");
        // Several tokens with a cache; one at a time is decode.
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.shape.seq_q = 3, p.facts.phase = Phase::prefill; }) ==
              "H38");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.shape.seq_q = 3, p.facts.phase = Phase::decode; }) == "");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.shape.seq_q = 1; }) == "");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.rope.layout = RopeLayout::interleaved; }) == "H10");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.cu_seqlens = {0, 5, 12}; }) == "H37");
    }
    for (const char* dialect : {"megatron_pr4048", "megatron_bridge_pr4185"}) {
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.shape.seq_q = 1; }) == "H46");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.cu_seqlens = {0, 5, 12}; }) == "H37");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.rope.layout = RopeLayout::interleaved; }) == "");
    }
    CHECK(hazard(problem_of("megatron_pr4048"), [](Problem& p) { p.shape.head_dim_v = 4; }) == "H47");
    CHECK(hazard(problem_of("megatron_bridge_pr4185"), [](Problem& p) { p.shape.head_dim_v = 4; }) == "");
    for (const auto& [second, expected] : {std::pair{8, "H42"}, std::pair{7, ""}}) {
        CHECK(hazard(problem_of("chunkllama_flash_decoding"), [second = second](Problem& p) {
                  p.shape.batch = 2;
                  p.shape.seq_q = 3;
                  p.facts.phase = Phase::decode;
                  p.facts.prompt_length = {7, second};
              }) == expected);
    }
    for (const char* dialect : {"vllm_fork", "vllm", "sglang"}) {
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.facts.page_size = 3; }) == "H51");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.facts.page_size = 2; }) == "");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.facts.max_position_embeddings = 11; }) == "H14");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.facts.max_position_embeddings = 12; }) == "");
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.cu_seqlens = {0, 5, 12}; }) == "");
        const bool fails = std::string(dialect) != "vllm_fork";
        CHECK(hazard(problem_of(dialect), [](Problem& p) { p.facts.original_max_position_embeddings = 0; }) ==
              (fails ? "H24" : ""));
    }
    CHECK(hazard(problem_of("chunkllama_flash_decoding", 33281, {24576, 4096})) == "H14");
    CHECK(hazard(problem_of("chunkllama_flash_decoding", 33280, {24576, 4096})) == "");
}

TEST_CASE("rope_scaling: taken, refused or ignored (H15)") {
    const auto scaled = [](RopeScaling scaling) {
        return [scaling](Problem& p) {
            p.rope.scaling = scaling;
            p.rope.factor = 2;
        };
    };
    CHECK(hazard(problem_of("vllm_fork"), scaled(RopeScaling::yarn)) == "H15");
    CHECK(hazard(problem_of("chunkllama"), scaled(RopeScaling::yarn)) == "H15");
    CHECK(hazard(problem_of("chunkllama"), scaled(RopeScaling::linear)) == "");
    for (const char* dialect : {"vllm", "sglang"}) {
        Problem ignoring = problem_of(dialect);
        const Inputs inputs = test::random_inputs(ignoring, 5);
        const Outputs plain = reference::forward(ignoring, inputs);
        scaled(RopeScaling::yarn)(ignoring);
        CHECK(hazard(ignoring) == "");
        CHECK(reference::forward(ignoring, inputs).out == plain.out);
        CHECK(hazard(ignoring, [](Problem& p) { p.rope.mscale = 1.2; }) != "");
    }
}

TEST_CASE("zerollama's undocumented factor is refused only where it could differ from 1") {
    const auto original = [](std::int64_t length) {
        return [length](Problem& p) { p.facts.original_max_position_embeddings = length; };
    };
    CHECK(hazard(problem_of("zerollama"), original(11)) == "H17");
    CHECK(hazard(problem_of("zerollama"), original(12)) == "");
    CHECK(hazard(problem_of("zerollama"), original(0)) == "");
}

TEST_CASE("facts that do not fit the problem are its fault, not the dialect's") {
    Problem problem = problem_of("vllm");
    problem.facts.prompt_length = {3, 4};
    CHECK_THROWS_AS(reference::require_reproducible(problem), InvalidProblem);
    problem.cu_seqlens = {0, 5, 12};
    CHECK_NOTHROW(reference::require_reproducible(problem));
    problem.facts.phase = Phase::decode;
    CHECK_THROWS_AS(reference::require_reproducible(problem), InvalidProblem);
    problem.dialect = "exact";  // takes no facts
    CHECK_NOTHROW(reference::require_reproducible(problem));
}
