// Relations between dialects that follow from their rules: where they coincide, and where prefill and decode differ.
#include <cmath>

#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/math/temperature.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

Outputs run(Problem problem, const std::string& dialect, const Inputs& inputs) {
    problem.dialect = dialect;
    return reference::forward(problem, inputs);
}

}  // namespace

TEST_CASE("in f64, dialects that round nothing there differ from exact by their angles and merge alone") {
    const Problem problem = test::plain_problem(23, {7, 3}, 2, 2, 16);
    const Inputs inputs = test::random_inputs(problem, 11);
    const Outputs exact = run(problem, "exact", inputs);
    // Bridge: the same arithmetic, merged: only the order of the sums differs, each within a few roundoffs.
    CHECK(test::max_abs_difference(run(problem, "megatron_bridge_pr4185", inputs).out, exact.out) <= 1e-14);
    // Float32 angles are off by at most 2^-24 of angles up to 7 rad each for inv_freq and product, cos and sin by
    // 2^-25, and logits of size 16 repeat that in 16 terms: below 16 * 16 * 1e-6.
    for (const char* dialect : {"chunkqwen", "vllm", "sglang", "llama_cpp_dca"}) {
        CAPTURE(dialect);
        const double difference = test::max_abs_difference(run(problem, dialect, inputs).out, exact.out);
        CHECK(difference <= 2.6e-4);
        CHECK(difference > 1e-10);
    }
    // Every lse is that of all visible keys, whatever the merge rounds.
    for (const Dialect& dialect : dialects()) {
        if (dialect.inter != InterRule::clamped) continue;
        const Outputs outputs = run(problem, std::string(dialect.name), inputs);
        CHECK(test::max_abs_difference(outputs.lse, exact.lse) <= 2.6e-4);
    }
}

TEST_CASE("a chunked prefill of the vllm family has the rows of the whole prefill, even with a length factor") {
    Problem whole = test::plain_problem(23, {7, 3}, 2, 1, 16);
    whole.facts.original_max_position_embeddings = 9;
    const Inputs inputs = test::random_inputs(whole, 12);
    for (const char* dialect : {"vllm", "sglang", "vllm_fork"}) {
        const Outputs all = run(whole, dialect, inputs);
        Problem piece = whole;
        piece.shape.seq_q = 6;
        piece.shape.seq_k = 15;
        piece.facts.phase = Phase::prefill;
        piece.facts.prompt_length = {23};
        Inputs part{
            Tensor4(q_extents(piece.shape)), Tensor4(k_extents(piece.shape)), Tensor4(v_extents(piece.shape)), {}};
        const auto copy = [](Tensor4& to, const Tensor4& from, std::int64_t first) {
            for (std::int64_t i = 0; i < to.extent(1); ++i) {
                for (std::int64_t h = 0; h < to.extent(2); ++h) {
                    for (std::int64_t c = 0; c < to.extent(3); ++c) to(0, i, h, c) = from(0, first + i, h, c);
                }
            }
        };
        copy(part.q, inputs.q, 9);
        copy(part.k, inputs.k, 0);
        copy(part.v, inputs.v, 0);
        const Outputs rows = run(piece, dialect, part);
        double worst = 0;
        for (std::int64_t i = 0; i < 6; ++i) {
            for (std::int64_t h = 0; h < 2; ++h) {
                for (std::int64_t c = 0; c < 16; ++c) {
                    worst = std::max(worst, std::abs(rows.out(0, i, h, c) - all.out(0, 9 + i, h, c)));
                }
            }
        }
        CAPTURE(dialect);
        CHECK(worst <= 1e-14);  // other tiles, the same numbers
    }
}

TEST_CASE("dialects give the same bits on one thread and on several") {
    for (const Dialect& dialect : dialects()) {
        for (Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
            CAPTURE(dialect.name);
            Problem problem = test::plain_problem(400, {60, 20}, 2, 2, 16);
            problem.dialect = dialect.name;
            problem.dtype = dtype;
            problem.facts.max_position_embeddings = 400;
            problem.facts.max_seen_length = 900;
            if (dialect.name != "zerollama") problem.facts.original_max_position_embeddings = 50;
            const Inputs inputs = test::random_inputs(problem, 21);
            const auto results = [&](int threads) {
                reference::use_threads(threads);
                Outputs outputs = reference::forward(problem, inputs);
                Gradients gradients = reference::backward(problem, inputs, outputs);
                return std::pair(std::move(outputs), std::move(gradients));
            };
            const int all = reference::thread_count();
            const auto one = results(1), several = results(5);
            reference::use_threads(all);
            CHECK(one.first.out == several.first.out);
            CHECK(one.first.lse == several.first.lse);
            CHECK(one.second.dq == several.second.dq);
            CHECK(one.second.dk == several.second.dk);
            CHECK(one.second.dv == several.second.dv);
        }
    }
}

TEST_CASE("under f64, a dialect that works in float32 is expected to err like float32 (H33)") {
    Problem problem = test::plain_problem(40, {6, 2}, 2, 2, 16);
    problem.rope.layout = RopeLayout::none;  // what is left is softmax and LSE
    const Inputs inputs = test::random_inputs(problem, 31);
    const auto lse_scale = [&](const char* dialect) {
        Problem other = problem;
        other.dialect = dialect;
        return reference::error_scales(other, inputs, reference::forward(other, inputs)).lse(0, 0, 39);
    };
    // 2^-24 against sqrt 2 times 2^-53.
    CHECK(lse_scale("chunkllama") > 0x1p27F * lse_scale("exact"));
    CHECK(lse_scale("megatron_bridge_pr4185") == lse_scale("exact"));
}

TEST_CASE("the factors of H21: key 20 at the last of 24 tokens, prompt 16, original length 8") {
    Problem decode = test::plain_problem(24, {6, 2}, 1, 1);
    decode.shape.seq_q = 8;
    decode.facts.original_max_position_embeddings = 8;
    decode.facts.phase = Phase::decode;
    decode.facts.prompt_length = {16};
    const auto multiplier = [&](const char* dialect) {
        decode.dialect = dialect;
        const reference::TemperatureLaw law(decode, reference::sequences(decode).front());
        return law.query(QueryIndex(23)) * law.key(KeyIndex(20));
    };
    CHECK(std::abs(multiplier("vllm") - 1.2170) <= 5e-5);
    CHECK(std::abs(multiplier("sglang") - 1.1099) <= 5e-5);
    Problem prefill = test::plain_problem(24, {6, 2}, 1, 1);
    prefill.dialect = "vllm";
    prefill.facts.original_max_position_embeddings = 8;
    // A prompt length below the keys there are is not the final one.
    for (const std::vector<std::int64_t>& prompt : {std::vector<std::int64_t>{}, {24}, {7}}) {
        prefill.facts.prompt_length = prompt;
        const reference::TemperatureLaw law(prefill, reference::sequences(prefill).front());
        CHECK(std::abs(law.query(QueryIndex(23)) * law.key(KeyIndex(20)) - 1.2318) <= 5e-5);
    }
}
