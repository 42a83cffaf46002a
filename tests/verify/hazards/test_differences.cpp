// From which token on dialects differ: the quick searches against plain ones, the formulas against both.
#include "reference/math/chunk_positions.hpp"
#include "tests/support/catch.hpp"
#include "verify/hazards/differences.hpp"
#include "verify/hazards/relative_positions.hpp"

using namespace dca;
using namespace dca::hazards;

namespace {

constexpr std::int64_t largest_chunk = 12;

Problem long_sequence(std::string_view dialect, const ChunkConfig& chunk) {
    Problem problem = four_chunks(dialect, chunk);
    problem.shape.seq_q = problem.shape.seq_k = 5 * chunk.chunk_len() + 3;
    return problem;
}

/// Every pair is looked at.
First first_by_pairs(const Problem& a, const Problem& b) {
    for (std::int64_t i = 0; i < std::min(a.shape.seq_k, b.shape.seq_k); ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            if (relative_position(a, i, j) != relative_position(b, i, j)) return i;
        }
    }
    return std::nullopt;
}

First first_unlike_plain_by_pairs(const Problem& a) {
    for (std::int64_t i = 0; i < a.shape.seq_k; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            if (relative_position(a, i, j) != static_cast<double>(i - j)) return i;
        }
    }
    return std::nullopt;
}

template <class Check>
void for_each_setting(Check check) {
    for (std::int64_t size = 1; size <= largest_chunk; ++size) {
        for (std::int64_t local = 0; local < size; ++local) check(ChunkConfig{size, local});
    }
}

}  // namespace

TEST_CASE("the first different query is the same when every pair of a longer sequence is compared") {
    for_each_setting([](const ChunkConfig& chunk) {
        CAPTURE(chunk.chunk_size, chunk.local_size);
        for (const Dialect* a : position_classes()) {
            CHECK(first_query_unlike_plain(four_chunks(a->name, chunk)) ==
                  first_unlike_plain_by_pairs(long_sequence(a->name, chunk)));
            for (const Dialect* b : position_classes()) {
                CAPTURE(a->name, b->name);
                CHECK(first_different_query(four_chunks(a->name, chunk), four_chunks(b->name, chunk)) ==
                      first_by_pairs(long_sequence(a->name, chunk), long_sequence(b->name, chunk)));
            }
        }
    });
}

TEST_CASE("settings with different strides are compared at the borders of both") {
    for_each_setting([](const ChunkConfig& chunk) {
        const Problem a = long_sequence("exact", {9, 3}), b = long_sequence("exact", chunk);
        CAPTURE(chunk.chunk_size, chunk.local_size);
        CHECK(first_different_query(a, b) == first_by_pairs(a, b));
        CHECK(first_different_query(b, a) == first_by_pairs(a, b));
    });
}

TEST_CASE("the formulas of the table of positions hold for every setting up to 12") {
    for (const PositionFormula& formula : position_formulas()) {
        for_each_setting([&](const ChunkConfig& chunk) {
            CAPTURE(formula.a, formula.b, formula.text, chunk.chunk_size, chunk.local_size);
            const Problem a = four_chunks(formula.a, chunk);
            const First index = formula.b.empty() ? first_query_unlike_plain(a)
                                                  : first_different_query(a, four_chunks(formula.b, chunk));
            CHECK(formula.index(chunk) == index);
        });
    }
    // Each pair of classes has one.
    const std::size_t classes = position_classes().size();
    CHECK(position_formulas().size() == classes + classes * (classes - 1) / 2);
}

TEST_CASE("lengths at which factors differ are the same distance from any reference length") {
    const auto distance = [](const First& length, std::int64_t reference) {
        return length ? std::optional(*length - reference) : std::nullopt;
    };
    for (const Dialect& a : dialects()) {
        CHECK(distance(prompt_length_matters(a, 16), 16) == distance(prompt_length_matters(a, 24), 24));
        CHECK(distance(decode_leaves_prefill(a, 16), 16) == distance(decode_leaves_prefill(a, 24), 24));
        for (const Dialect& b : dialects()) {
            CAPTURE(a.name, b.name);
            CHECK(distance(prefill_factor_differs(a, b, 16), 16) == distance(prefill_factor_differs(a, b, 24), 24));
            CHECK(distance(decode_factor_differs(a, b, 16), 16) == distance(decode_factor_differs(a, b, 24), 24));
        }
    }
}

TEST_CASE("what separates the serving engines") {
    const Dialect &vllm = *find_dialect("vllm"), &sglang = *find_dialect("sglang"), &fork = *find_dialect("vllm_fork");
    const Dialect &exact = *find_dialect("exact"), &llama = *find_dialect("llama_cpp_dca");
    CHECK(!prefill_factor_differs(vllm, sglang, 16));
    CHECK(decode_factor_differs(vllm, sglang, 16) == 17);
    CHECK(!decode_factor_differs(vllm, fork, 16));
    CHECK(prefill_factor_differs(vllm, exact, 16) == 17);
    CHECK(prompt_length_matters(vllm, 16) == 17);
    CHECK(!prompt_length_matters(llama, 16));
    CHECK(!decode_leaves_prefill(llama, 16));
    CHECK(rounding_difference(vllm, sglang, Phase::prefill, Dtype::bf16) == 0);
    // Two roundings of bf16, 2^-9 each, stay below 2^-6; float32 ones below 2^-20.
    const double half = rounding_difference(vllm, exact, Phase::decode, Dtype::bf16);
    CHECK((half > 1e-4 && half < 0x1p-6));
    const double single = rounding_difference(vllm, exact, Phase::decode, Dtype::f32);
    CHECK((single > 1e-9 && single < 0x1p-20));
}
