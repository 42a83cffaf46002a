// What holds for every sparse prefill: P22, causal sets, one result for any thread count, the threshold, the counts.
#include <algorithm>
#include <set>

#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/sparse/forward.hpp"
#include "reference/sparse/statistics.hpp"
#include "tests/reference/sparse/brute_force.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::sparse_test;

namespace {

// Two double-precision results of one softmax over n <= 400 keys. A logit is off by (d + 8) 2^-53 of tau |q| |k| <= 40,
// so p by 2 (24 + 8) 40 2^-53; the sums over keys and the merge add n + 16 roundings: together below 3100 2^-53 = 4e-13
// of the terms on each side, in the worst case; the terms do not cancel by more than their number's square root in L2.
constexpr double dense_agreement = 1e-12;

sparse::SparseConfig everything(std::int64_t block) {
    sparse::SparseConfig config;
    config.vertical_size = config.slash_size = {1 << 20};
    config.block = block;
    return config;
}

}  // namespace

TEST_CASE("P22: with every vertical and slash selected, sparse is dense") {
    std::size_t rows = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        const SparseCase given = random_sparse_case(seed);
        INFO(test::describe(given.problem));
        sparse::SparseConfig config = everything(given.config.block);
        config.rules = given.config.rules;
        // A head that kept the size of a short first segment would not select everything later (H53).
        config.rules.persistent_clamp = false;
        const Outputs sparse = sparse::sparse_forward(given.problem, given.inputs, config);
        const Outputs dense = reference::forward(given.problem, given.inputs);
        CHECK(test::relative_l2(sparse.out, dense.out) <= dense_agreement);
        CHECK(test::relative_l2(sparse.lse, dense.lse) <= dense_agreement);
        for (const auto& head : sparse::attended_statistics(sparse::plans(given.problem, given.inputs, config), config,
                                                            given.problem.shape.heads_q)) {
            CHECK(head.total().attended == head.total().visible);
            rows += static_cast<std::size_t>(head.rows);
        }
    }
    CHECK(rows >= 3000);
    const SparseCase large = plain_sparse_case(400, 150, 400, 400, 3);
    sparse::SparseConfig config = large.config;
    config.rules = sparse::sglang_later_rules;
    CHECK(test::relative_l2(sparse::sparse_forward(large.problem, large.inputs, config).out,
                            reference::forward(large.problem, large.inputs).out) <= dense_agreement);
    // And a selection that leaves keys out is visible at this tolerance.
    config.vertical_size = {31};
    config.slash_size = {100};
    CHECK(test::relative_l2(sparse::sparse_forward(large.problem, large.inputs, config).out,
                            reference::forward(large.problem, large.inputs).out) >= 1e-3);
}

TEST_CASE("P22 in vllm: float32 angles, length factor and rounded merge are those of the dense dialect") {
    std::size_t merged = 0;
    double warmest = 1;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        for (Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
            SparseCase given = random_sparse_case(seed);
            Problem& problem = given.problem;
            if (problem.resolved_query_offset() < 0) continue;  // vllm has no rows before every key
            problem.dialect = "vllm";
            problem.dtype = dtype;
            problem.rope.scaling = RopeScaling::none;
            problem.rope.factor.reset();
            problem.rope.mscale.reset();
            problem.facts.phase = Phase::prefill;
            problem.facts.original_max_position_embeddings = 3;
            CAPTURE(seed, test::describe(problem));
            sparse::SparseConfig config = everything(given.config.block);
            config.rules = sparse::sglang_later_rules;
            const Outputs sparse = sparse::sparse_forward(problem, given.inputs, config);
            const Outputs dense = reference::forward(problem, given.inputs);
            CHECK(test::relative_l2(sparse.out, dense.out) <= dense_agreement);
            CHECK(test::relative_l2(sparse.lse, dense.lse) <= dense_agreement);
            // Merging without the roundings would be seen.
            problem.dialect = "exact";
            problem.facts = {};
            merged += test::relative_l2(sparse.out, reference::forward(problem, given.inputs).out) > 1e-9 ? 1 : 0;
            warmest = std::max(warmest, static_cast<double>(problem.shape.seq_k) / 3);
        }
    }
    CHECK(merged >= 100);
    CHECK(warmest > 3);
}

TEST_CASE("no attended key is behind its query, and each is attended in the mode of the pair") {
    std::size_t pairs = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);
        SparseCase given = random_sparse_case(seed);
        given.config.rules = sparse::sglang_later_rules;  // refuses nothing
        const std::int64_t len = given.problem.chunk.chunk_len(), block = given.config.block;
        for (const auto& plan : sparse::plans(given.problem, given.inputs, given.config)) {
            for (std::int64_t m = 0; m < plan.segment.rows(); ++m) {
                const std::int64_t i = plan.segment.first_index + m;
                for (const auto& lists : plan.modes) {
                    for (std::int64_t key : sparse::tile_keys(plan, lists, m / block * block, block).keys()) {
                        if (key >= sparse::visible_keys(lists, m)) continue;
                        const std::int64_t j = lists.key_begin + key, apart = i / len - j / len;
                        REQUIRE(j <= i);
                        REQUIRE(lists.mode == (apart == 0 ? Mode::intra : apart == 1 ? Mode::succ : Mode::inter));
                        ++pairs;
                    }
                }
            }
        }
    }
    CHECK(pairs >= 50000);
}

TEST_CASE("a later key can change which earlier keys a row attends to") {
    // The last rows of a segment vote for all of it: causal attention, but not a causal function of the tokens.
    SparseCase given = plain_sparse_case(400, 400, 31, 100, 5);
    const Outputs before = sparse::sparse_forward(given.problem, given.inputs, given.config);
    for (std::int64_t c = 0; c < 8; ++c) given.inputs.q(0, 399, 0, c) = 8 * given.inputs.k(0, 50, 0, c);
    const Outputs after = sparse::sparse_forward(given.problem, given.inputs, given.config);
    std::size_t changed = 0;
    for (std::int64_t row = 0; row < 399; ++row) changed += before.lse(0, 0, row) == after.lse(0, 0, row) ? 0 : 1;
    CHECK(changed > 0);
}

TEST_CASE("the result is the same for any number of threads") {
    const SparseCase given = plain_sparse_case(300, 90, 40, 110, 7, 4);
    const int threads = reference::thread_count();
    reference::use_threads(1);
    const Outputs one = sparse::sparse_forward(given.problem, given.inputs, given.config);
    reference::use_threads(5);
    const Outputs five = sparse::sparse_forward(given.problem, given.inputs, given.config);
    reference::use_threads(threads);
    CHECK(one.out == five.out);
    CHECK(one.lse == five.lse);
}

TEST_CASE("sequences whose prompt is not above the threshold are dense") {
    SparseCase given = plain_sparse_case(150, 150, 31, 100, 9);
    given.problem.cu_seqlens = {0, 60, 60, 150};
    given.config.block = 8;
    given.config.forced_slashes = 10;
    given.config.slash_size = {10};
    given.config.threshold = 60;
    const auto fractions = [&] {
        std::vector<double> out;
        for (const auto& plan : sparse::plans(given.problem, given.inputs, given.config)) {
            out.push_back(sparse::attended_statistics({&plan, 1}, given.config, 1)[0].fraction_of_dense());
        }
        return out;
    };
    CHECK(fractions()[0] == 1);
    CHECK(fractions()[1] < 1);
    given.config.prompt_length = {61, 60};
    CHECK(fractions()[0] < 1);
    CHECK(fractions()[1] == 1);
    given.config.threshold = 61;
    CHECK(test::relative_l2(sparse::sparse_forward(given.problem, given.inputs, given.config).out,
                            reference::forward(given.problem, given.inputs).out) <= dense_agreement);
}

TEST_CASE("the statistics count what the brute force attends to") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        SparseCase given = random_sparse_case(seed);
        given.config.rules = sparse::sglang_later_rules;
        const std::int64_t heads = given.problem.shape.heads_q;
        std::vector<sparse::AttendedStatistics> expected(static_cast<std::size_t>(heads));
        const std::int64_t len = given.problem.chunk.chunk_len();
        for (const auto& segment : brute_force(given.problem, given.inputs, given.config).segments) {
            auto& head = expected[static_cast<std::size_t>(segment.head)];
            for (std::size_t m = 0; m < segment.keys.size(); ++m) {
                const std::int64_t i = segment.first_index + static_cast<std::int64_t>(m);
                std::int64_t attended = 0;
                for (std::size_t mode = 0; mode < 3; ++mode) {
                    head.modes[mode].attended += static_cast<std::int64_t>(segment.keys[m][mode].size());
                    attended += static_cast<std::int64_t>(segment.keys[m][mode].size());
                }
                for (std::int64_t j = 0; j <= i; ++j) {
                    ++head.modes[static_cast<std::size_t>(std::min<std::int64_t>(i / len - j / len, 2))].visible;
                }
                ++head.rows;
                head.empty_rows += attended == 0 ? 1 : 0;
            }
        }
        const auto plans = sparse::plans(given.problem, given.inputs, given.config);
        CHECK(sparse::attended_statistics(plans, given.config, heads) == expected);
    }
}
