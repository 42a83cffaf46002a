// What must not change the numbers, and what is refused.
#include "reference/math/parallel.hpp"
#include "tests/reference/sampled/whole_tensors.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

void check_same_results(const SampledRun& a, const SampledRun& b) {
    CHECK(a.rows.outputs.out == b.rows.outputs.out);
    CHECK(a.rows.outputs.lse == b.rows.outputs.lse);
    CHECK(a.rows.dq == b.rows.dq);
    CHECK(a.dk == b.dk);
    CHECK(a.dv == b.dv);
}

}  // namespace

TEST_CASE("sampled results have the same bits on 1, 2, 3 and 7 threads, scales too") {
    const int before = reference::thread_count();
    Problem problem = plain_problem(1700, {610, 37}, 4, 2, 20);
    problem.shape.batch = 2;
    const Inputs inputs = random_inputs(problem, 99);
    const auto rows = some_rows(1700, 130, 1);
    reference::use_threads(1);
    const SampledRun one = run_sampled(problem, inputs, rows);
    for (int threads : {2, 3, 7}) {
        CAPTURE(threads);
        reference::use_threads(threads);
        const SampledRun again = run_sampled(problem, inputs, rows);
        check_same_results(again, one);
        CHECK(again.rows.scales.out == one.rows.scales.out);
        CHECK(again.rows.scales.lse == one.rows.scales.lse);
        CHECK(again.rows.scales.dq == one.rows.scales.dq);
        CHECK(again.dk_scale == one.dk_scale);
        CHECK(again.dv_scale == one.dv_scale);
    }
    reference::use_threads(before);
}

TEST_CASE("sampled results do not depend on how many keys are in memory") {
    const Problem problem = plain_problem(1700, {210, 37}, 2, 1, 20);
    const Inputs inputs = random_inputs(problem, 3);
    const auto rows = some_rows(1700, 77, 2);
    const SampledRun whole = run_sampled(problem, inputs, rows);
    check_same_results(run_sampled(problem, inputs, rows, {.keys = 1, .kept = 1}), whole);
    check_same_results(run_sampled(problem, inputs, rows, {.keys = 40000, .kept = 1 << 24}), whole);
}

TEST_CASE("a row's out, lse and dq do not depend on which other rows are sampled") {
    const Problem problem = plain_problem(700, {90, 20}, 2, 1, 16);
    Inputs inputs = random_inputs(problem, 3);
    const SampledRun many = run_sampled(problem, inputs, some_rows(700, 300, 2));
    const auto all = some_rows(700, 300, 2);
    const SampledRun one = run_sampled(problem, inputs, {all[123]});
    // Each owes reference_agreement to the exact values; other tiles may round differently.
    constexpr double line = 2 * reference_agreement;
    const auto check_row = [&](const Tensor4& alone, const Tensor4& among, std::int64_t head) {
        double error = 0, norm = 0;
        for (std::int64_t c = 0; c < 16; ++c) {
            const double expected = among(0, 123, head, c);
            error += std::pow(alone(0, 0, head, c) - expected, 2);
            norm += expected * expected;
        }
        CHECK(norm > 0);
        CHECK(std::sqrt(error) <= line * std::sqrt(norm));
    };
    for (std::int64_t head = 0; head < 2; ++head) {
        const double lse = many.rows.outputs.lse(0, head, 123);
        CHECK(std::abs(one.rows.outputs.lse(0, head, 0) - lse) <= line * std::abs(lse));
        check_row(one.rows.outputs.out, many.rows.outputs.out, head);
        check_row(*one.rows.dq, *many.rows.dq, head);
    }
}

TEST_CASE("without dout only out and lse are computed") {
    const Problem problem = plain_problem(300, {90, 20}, 2, 1, 16);
    Inputs inputs = random_inputs(problem, 3);
    const auto rows = some_rows(300, 20, 2);
    const SampledRun with = run_sampled(problem, inputs, rows);
    inputs.dout.reset();
    const SampledRun without = run_sampled(problem, inputs, rows);
    CHECK(without.rows.outputs.out == with.rows.outputs.out);
    CHECK(without.rows.outputs.lse == with.rows.outputs.lse);
    CHECK(without.rows.scales.out == with.rows.scales.out);
    CHECK(!without.rows.dq);
    CHECK(!without.rows.scales.dq);
    CHECK(without.dk.empty());
    CHECK(without.dv_scale.empty());
}

TEST_CASE("what sampled rows are not computed for is refused") {
    const Problem problem = plain_problem(30, {9, 2});
    const Inputs inputs = random_inputs(problem, 3);
    CHECK_THROWS_AS(run_sampled(problem, inputs, {}), InvalidProblem);
    CHECK_THROWS_AS(run_sampled(problem, inputs, {3, 3}), InvalidProblem);
    CHECK_THROWS_AS(run_sampled(problem, inputs, {4, 3}), InvalidProblem);
    CHECK_THROWS_AS(run_sampled(problem, inputs, {-1}), InvalidProblem);
    CHECK_THROWS_AS(run_sampled(problem, inputs, {30}), InvalidProblem);
    Problem other = problem;
    other.dialect = "vllm";
    CHECK_THROWS_AS(run_sampled(other, inputs, {3}), Unsupported);
    Problem packed = problem;
    packed.cu_seqlens = {0, 10, 30};
    CHECK_THROWS_AS(run_sampled(packed, inputs, {3}), Unsupported);
}
