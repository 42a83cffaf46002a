// Blocks, tiles, threads, subsets of the results, and what a probe refuses.
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "tests/reference/probe/probe_problem.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using reference::probe::probe;
using reference::probe::Wanted;

namespace {

/// Larger than a block of 384 rows, and on no border of tiles of 96 keys.
Problem large_problem() {
    Problem problem = test::plain_problem(1530, {700, 200}, 2, 1, 12);
    problem.shape.head_dim_v = 18;
    return problem;
}

void compare(const test::ProbeCase& made) {
    const auto got = probe(made.problem, made.inputs, {.scales = false});
    const Outputs dense = reference::forward(made.problem, made.dense);
    const Gradients gradients = reference::backward(made.problem, made.dense, dense);
    INFO(test::describe(made.problem));
    CHECK(test::relative_l2(*got.out, dense.out) <= test::reference_agreement);
    CHECK(test::relative_l2(*got.lse, dense.lse) <= test::reference_agreement);
    CHECK(test::relative_l2(*got.dq, gradients.dq) <= test::reference_agreement);
    CHECK(test::relative_l2(*got.dk, gradients.dk) <= test::reference_agreement);
    CHECK(test::relative_l2(*got.dv, gradients.dv) <= test::reference_agreement);
}

}  // namespace

TEST_CASE("probes with several blocks of rows in a chunk, decode rows far out, and a piece of a prefill") {
    Problem problem = large_problem();
    compare(test::make_probe(problem, 1, 1));
    problem.shape.seq_q = 700;  // begins and ends inside chunks
    compare(test::make_probe(problem, 2, 1));
    problem.query_offset = 1100;  // ends beyond the keys
    compare(test::make_probe(problem, 3, 1));
    problem.query_offset = std::int64_t{1} << 30;  // far beyond them
    compare(test::make_probe(problem, 4, 1));
}

TEST_CASE("logits of several hundred neither overflow nor lose the early rows") {
    // exp(-745) is 0: a shift common to all rows would leave rows without keys.
    compare(test::make_probe(large_problem(), 5, 16));
}

TEST_CASE("any thread count gives the same bits") {
    const test::ProbeCase made = test::make_probe(large_problem(), 6, 1);
    const int threads = reference::thread_count();
    reference::use_threads(1);
    const auto one = probe(made.problem, made.inputs, {});
    reference::use_threads(5);
    const auto five = probe(made.problem, made.inputs, {});
    reference::use_threads(threads);
    CHECK(std::ranges::equal(one.out->values(), five.out->values()));
    CHECK(std::ranges::equal(one.lse->values(), five.lse->values()));
    CHECK(std::ranges::equal(one.dq->values(), five.dq->values()));
    CHECK(std::ranges::equal(one.dk->values(), five.dk->values()));
    CHECK(std::ranges::equal(one.dv->values(), five.dv->values()));
    CHECK(std::ranges::equal(one.sigma_out->values(), five.sigma_out->values()));
    CHECK(std::ranges::equal(one.sigma_dq->values(), five.sigma_dq->values()));
    CHECK(std::ranges::equal(one.sigma_dk->values(), five.sigma_dk->values()));
    CHECK(std::ranges::equal(one.sigma_dv->values(), five.sigma_dv->values()));
}

TEST_CASE("one tensor alone is the same as among all") {
    const test::ProbeCase made = test::make_probe(large_problem(), 8, 1);
    const auto all = probe(made.problem, made.inputs, {});
    const auto same = [](const auto& a, const auto& b) {
        return a && b && std::ranges::equal(a->values(), b->values());
    };
    const auto out = probe(made.problem, made.inputs, {true, false, false, false, false});
    CHECK((same(out.out, all.out) && same(out.sigma_out, all.sigma_out) && !out.lse && !out.dq && !out.sigma_dv));
    const auto lse = probe(made.problem, made.inputs, {false, true, false, false, false});
    CHECK((same(lse.lse, all.lse) && same(lse.sigma_lse, all.sigma_lse)));
    const auto dq = probe(made.problem, made.inputs, {false, false, true, false, false});
    CHECK((same(dq.dq, all.dq) && same(dq.sigma_dq, all.sigma_dq)));
    const auto dk = probe(made.problem, made.inputs, {false, false, false, true, false});
    CHECK((same(dk.dk, all.dk) && same(dk.sigma_dk, all.sigma_dk)));
    const auto dv = probe(made.problem, made.inputs, {false, false, false, false, true});
    CHECK((same(dv.dv, all.dv) && same(dv.sigma_dv, all.sigma_dv)));
}

TEST_CASE("what a probe refuses") {
    Problem problem = large_problem();
    problem.dialect = "llama_cpp_dca";  // its length factor grows with the row
    problem.facts.original_max_position_embeddings = 100;
    CHECK_THROWS_AS(reference::probe::require_probe(problem, true), Unsupported);
    problem.facts.original_max_position_embeddings = 5000;  // 1 for every row
    reference::probe::require_probe(problem, true);
    problem.dialect = "vllm";
    problem.facts.max_position_embeddings = 5000;
    problem.facts.sparse_vertical_size = problem.facts.sparse_slash_size = {10};
    CHECK_THROWS_AS(reference::probe::require_probe(problem, false), Unsupported);
    Problem small = test::plain_problem(std::int64_t{1} << 20, {4, 2}, 1, 1, 128);
    reference::probe::require_probe(small, false);
    CHECK_THROWS_AS(reference::probe::require_probe(small, true), Unsupported);
}

TEST_CASE("what a watch is told is final stays as it is") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const auto made = test::random_probe("exact", seed);
        if (!made) continue;
        const Shape& s = made->problem.shape;
        std::vector<double> out, dv;
        std::vector<float> sigma_dq;
        // Copies the rows told of since the last call.
        const auto take = [](auto& copy, const auto& tensor, std::int64_t rows, std::int64_t width) {
            const auto values = tensor.values();
            const auto end = static_cast<std::ptrdiff_t>(rows * width),
                       begin = static_cast<std::ptrdiff_t>(copy.size());
            CHECK(begin <= end);
            if (begin < end) copy.insert(copy.end(), values.begin() + begin, values.begin() + end);
        };
        const reference::probe::Watch watch{
            [&](const reference::probe::ProbeResults& results, std::int64_t batch, std::int64_t end) {
                take(out, *results.out, batch * s.seq_q + end, s.heads_q * s.head_dim_v);
                take(sigma_dq, *results.sigma_dq, batch * s.seq_q + end, s.heads_q * s.head_dim);
            },
            [&](const reference::probe::ProbeResults& results, std::int64_t batch, std::int64_t end) {
                take(dv, *results.dv, batch * s.seq_k + end, s.heads_kv * s.head_dim_v);
            }};
        reference::probe::ProbeResults got;
        probe(made->problem, made->inputs, {}, watch, got);
        INFO("seed " << seed << ": " << test::describe(made->problem));
        CHECK(std::ranges::equal(out, got.out->values()));
        CHECK(std::ranges::equal(sigma_dq, got.sigma_dq->values()));
        CHECK(std::ranges::equal(dv, got.dv->values()));
    }
}
