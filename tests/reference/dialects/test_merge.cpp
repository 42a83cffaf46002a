// Merging as published: which rounded weights, which rows are exempt.
#include <cmath>

#include "reference/forward.hpp"
#include "reference/merge_rule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

Problem problem_of(const std::string& dialect, Dtype dtype) {
    Problem problem = test::plain_problem(12, {6, 2}, 1, 1, 8);
    problem.dialect = dialect;
    problem.dtype = dtype;
    return problem;
}

std::vector<double> out_of_constant_v(const Problem& problem) {
    Inputs inputs{
        Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)), Tensor4(v_extents(problem.shape)), {}};
    std::fill(inputs.v.values().begin(), inputs.v.values().end(), 1.0);
    const Outputs outputs = reference::forward(problem, inputs);
    std::vector<double> rows;
    for (std::int64_t i = 0; i < problem.shape.seq_q; ++i) rows.push_back(outputs.out(0, i, 0, 0));
    return rows;
}

}  // namespace

TEST_CASE("with q = k = 0 and v = 1, bf16 merge weights do not sum to 1 (H26)") {
    // Weights are ratios of key counts: row 4 has 4 and 1 keys, 0.8 and 0.2 in bf16 are 0.80078125 and 0.2001953125.
    const std::vector<double> published{1, 1, 1, 1, 1.000977, 1.001953, 0.998047, 1, 1.001953, 1.000977, 1, 1.001953};
    for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
        const auto rows = out_of_constant_v(problem_of("chunkllama", dtype));
        REQUIRE(rows.size() == published.size());
        // The published figures have six digits.
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CAPTURE(i);
            CHECK(std::abs(rows[i] - published[i]) <= 5e-7);
        }
        // Float32 weights, one softmax: 1 up to the roundings of double.
        for (const char* dialect : {"exact", "chunkqwen", "vllm", "megatron_bridge_pr4185"}) {
            for (double row : out_of_constant_v(problem_of(dialect, dtype))) CHECK(std::abs(row - 1) <= 1e-6);
        }
    }
}

TEST_CASE("decode of chunkllama has one softmax, that of flash decoding has rounded weights (H30)") {
    for (const auto& [dialect, exact] :
         {std::pair{"chunkllama", true}, std::pair{"chunkllama_flash_decoding", false}}) {
        Problem problem = problem_of(dialect, Dtype::f32);
        problem.shape.seq_q = 1;
        problem.shape.seq_k = 5;
        CAPTURE(dialect);
        CHECK((std::abs(out_of_constant_v(problem).front() - 1) <= 1e-15) == exact);
        CHECK(std::abs(out_of_constant_v(problem).front() - (exact ? 1 : 1.0009765625)) <= 1e-15);
    }
}

TEST_CASE("merge weights: absent modes weigh nothing, a single part exactly 1") {
    constexpr double none = -std::numeric_limits<double>::infinity();
    for (const Dialect& dialect : dialects()) {
        for (Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
            const reference::Merge merge(problem_of(std::string(dialect.name), dtype));
            CHECK(merge.weights({none, none, none}) == reference::PerMode{0, 0, 0});
            CHECK(merge.weights({none, 3.25, none}) == reference::PerMode{0, 1, 0});
            const auto half = merge.weights({1.5, 1.5, none});
            CHECK(half == reference::PerMode{0.5, 0.5, 0});
        }
    }
    const reference::Merge rounded(problem_of("chunkllama", Dtype::f64));
    CHECK(rounded.weights({std::log(4.0), none, 0.0}) == reference::PerMode{0.80078125, 0, 0.2001953125});
}

TEST_CASE("products are rounded to the activation dtype, and only in bf16 can it be seen (H27)") {
    const auto product = [](const char* dialect, Dtype dtype) {
        double part = 1.0 / 3.0, out = 0;
        reference::Merge(problem_of(dialect, dtype)).add_products(0.7, &part, 1, &out);
        return out;
    };
    CHECK(product("chunkqwen", Dtype::bf16) == round_to(Dtype::bf16, 0.7 * round_to(Dtype::bf16, 1.0 / 3.0)));
    CHECK(product("chunkqwen", Dtype::f64) == 0.7 * (1.0 / 3.0));
    CHECK(product("megatron_bridge_pr4185", Dtype::bf16) == 0.7 * round_to(Dtype::bf16, 1.0 / 3.0));
    CHECK(product("zerollama", Dtype::bf16) == 0.7 * (1.0 / 3.0));
}

TEST_CASE("megatron's LSE in bf16 coarsens the weights (H28), its flash path does not (H29)") {
    Problem problem = problem_of("megatron_pr4048", Dtype::bf16);
    const reference::PerMode lse{10.03, 9.98, 7.5};
    const auto coarse = reference::Merge(problem).weights(lse);
    // Every step in bf16: 10 - 0.0703125 = 9.9296875 becomes 9.9375, e^-9.9375 and the sum are rounded again.
    const double far = round_to(Dtype::bf16, std::exp(-9.9375));
    const auto steps = reference::Merge(problem).weights({10.0, 0.0703125, 10.0});
    CHECK(steps[1] == round_to(Dtype::bf16, far / round_to(Dtype::bf16, 2 + far)));
    CHECK(steps[1] != round_to(Dtype::bf16, round_to(Dtype::bf16, std::exp(-9.9296875)) / 2));
    problem.facts.path = MegatronPath::flash;
    const auto fine = reference::Merge(problem).weights(lse);
    // bf16 has 8 significant bits: between 8 and 16 it counts in 1/16, so 10.03 and 9.98 both become 10.
    CHECK(coarse[0] == coarse[1]);
    CHECK(fine[0] > fine[1]);
    CHECK(std::abs(fine[0] + fine[1] + fine[2] - 1) <= 1e-15);
    // Only megatron has two paths.
    Problem vllm = problem_of("vllm", Dtype::bf16);
    const MergeRule& rule = reference::merge_rule(vllm);
    vllm.facts.path = MegatronPath::flash;
    CHECK(&reference::merge_rule(vllm) == &rule);
}
