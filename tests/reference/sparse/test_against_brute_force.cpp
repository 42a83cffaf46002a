// The second implementation agrees: picks, attended sets of every row and mode, outputs, and where both refuse.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "reference/sparse/forward.hpp"
#include "reference/sparse/plan.hpp"
#include "tests/reference/sparse/brute_force.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::sparse_test;

namespace {

std::set<std::int64_t> as_set(const std::vector<std::int64_t>& list) {
    return {list.begin(), list.end()};
}

/// Absolute keys that row m attends to in one mode.
std::set<std::int64_t> attended(const sparse::SegmentPlan& plan, Mode mode, std::int64_t m, std::int64_t block) {
    std::set<std::int64_t> out;
    for (const sparse::ModeLists& lists : plan.modes) {
        if (lists.mode != mode) continue;
        for (std::int64_t key : sparse::tile_keys(plan, lists, m / block * block, block).keys()) {
            if (key < sparse::visible_keys(lists, m)) out.insert(lists.key_begin + key);
        }
    }
    return out;
}

/// Compares everything; returns the number of rows compared.
std::size_t compare(const SparseCase& given, const LogitFactor& temperature = {},
                    double out_agreement = test::reference_agreement) {
    std::optional<BruteResult> expected;
    try {
        expected = brute_force(given.problem, given.inputs, given.config, VotePositions::unclamped, temperature);
    } catch (const Refused&) {
        CHECK_THROWS_AS(sparse::sparse_forward(given.problem, given.inputs, given.config), Unsupported);
        return 0;
    }
    const auto plans = sparse::plans(given.problem, given.inputs, given.config);
    REQUIRE(plans.size() == expected->segments.size());
    std::size_t rows = 0;
    for (std::size_t n = 0; n < plans.size(); ++n) {
        const sparse::SegmentPlan& plan = plans[n];
        const BruteSegment& brute = expected->segments[n];
        REQUIRE(plan.sequence == brute.sequence);
        REQUIRE(plan.head == brute.head);
        REQUIRE(plan.segment.first_index == brute.first_index);
        REQUIRE(plan.segment.rows() == static_cast<std::int64_t>(brute.keys.size()));
        REQUIRE(plan.sizes == sparse::HeadSizes{brute.vertical_size, brute.slash_size});
        REQUIRE(as_set(plan.picks.vertical) == brute.vertical);
        REQUIRE(as_set(plan.picks.slash) == brute.slash);
        for (std::size_t m = 0; m < brute.keys.size(); ++m, ++rows) {
            for (Mode mode : all_modes) {
                REQUIRE(attended(plan, mode, static_cast<std::int64_t>(m), given.config.block) ==
                        brute.keys[m][static_cast<std::size_t>(mode)]);
            }
        }
    }
    const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
    CHECK(test::relative_l2(outputs.out, expected->outputs.out) <= out_agreement);
    CHECK(test::relative_l2(outputs.lse, expected->outputs.lse) <= test::reference_agreement);
    return rows;
}

}  // namespace

TEST_CASE("sparse prefill agrees with the brute force on random problems") {
    std::size_t rows = 0, refused = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        CAPTURE(seed);
        const SparseCase given = random_sparse_case(seed);
        INFO(test::describe(given.problem));
        const std::size_t compared = compare(given);
        rows += compared;
        refused += compared == 0 ? 1 : 0;
    }
    CAPTURE(rows, refused);
    CHECK(rows >= 10000);
    CHECK(refused >= 10);
    CHECK(refused <= 200);
}

TEST_CASE("the length temperature of vllm enters the selection and the attention") {
    std::size_t rows = 0, different = 0;
    for (std::uint64_t seed = 1001; seed <= 1100; ++seed) {
        CAPTURE(seed);
        SparseCase given = random_sparse_case(seed);
        given.problem.dialect = "vllm";
        given.problem.rope = RopeConfig{};
        given.problem.rope.layout = RopeLayout::none;
        given.problem.dtype = Dtype::f64;
        given.problem.facts.phase = Phase::prefill;
        given.problem.facts.original_max_position_embeddings = 1;
        given.config.rules = sparse::sglang_later_rules;
        if (given.problem.resolved_query_offset() < 0) continue;  // vllm has no rows before every key
        // The prompt is the sequence: 0.1 ln n + 1 for the queries and again for the keys, formed in float32.
        const auto temperature = [](std::int64_t keys) -> long double {
            const auto log = static_cast<float>(std::log(static_cast<double>(keys)));
            const float factor = std::max(1.0F, 0.1F * log + 1.0F);
            return static_cast<long double>(factor) * factor;
        };
        // The merge weights come from LSEs rounded to float32: each by |lse| 2^-24, and a row with them.
        const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
        double largest = 0;
        for (double lse : outputs.lse.values()) largest = std::max(largest, std::isfinite(lse) ? std::abs(lse) : 0.0);
        rows += compare(given, temperature, test::reference_agreement + 4 * largest * 0x1p-24);
        const auto cold = brute_force(given.problem, given.inputs, given.config);
        const auto warm = brute_force(given.problem, given.inputs, given.config, VotePositions::unclamped, temperature);
        for (std::size_t n = 0; n < warm.segments.size(); ++n) {
            different += cold.segments[n].vertical != warm.segments[n].vertical ? 1 : 0;
        }
    }
    CAPTURE(rows, different);
    CHECK(rows >= 500);
    CHECK(different >= 10);  // without the temperature other keys are picked
}

TEST_CASE("published tile sizes agree with the brute force over several chunks and heads") {
    std::size_t rows = 0;
    for (std::uint64_t seed : {1, 2}) {
        CAPTURE(seed);
        SparseCase given = plain_sparse_case(330, 130, 40, 110, seed, 2);
        given.config.vertical_size = {34, 40};
        given.config.slash_size = {104, 120};
        rows += compare(given);
        given.problem.shape.seq_q = 300;  // chunked prefill: the first segment starts within a chunk
        given.inputs = test::random_inputs(given.problem, seed);
        rows += compare(given);
    }
    CHECK(rows == 2 * 2 * (330 + 300));
}

TEST_CASE("equal votes go to the lowest index") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        SparseCase given = random_sparse_case(seed);
        std::ranges::fill(given.inputs.q.values(), 0.0);  // every row votes for all its keys alike
        compare(given);
    }
    const std::vector<double> scores{2, 5, 1, 5, 5, 2};
    CHECK(sparse::largest(scores, 2) == std::vector<std::int64_t>{1, 3});
    CHECK(sparse::largest(scores, 4) == std::vector<std::int64_t>{0, 1, 3, 4});
    CHECK(sparse::largest(scores, 9) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
}
