// H53 - H58: the numbers that docs/sparse_prefill.md states.
#include <algorithm>
#include <limits>

#include "reference/sparse/forward.hpp"
#include "reference/sparse/statistics.hpp"
#include "tests/reference/sparse/brute_force.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/agreement.hpp"

using namespace dca;
using namespace dca::sparse_test;
using List = std::vector<std::int64_t>;

namespace {

/// Keys that row m of a plan attends to in one mode, local.
List row_keys(const sparse::SegmentPlan& plan, Mode mode, std::int64_t m, std::int64_t block) {
    for (const auto& lists : plan.modes) {
        if (lists.mode != mode) continue;
        List keys = sparse::tile_keys(plan, lists, m / block * block, block).keys();
        std::erase_if(keys, [&](std::int64_t key) { return key >= sparse::visible_keys(lists, m); });
        return keys;
    }
    return {};
}

/// No rotation, keys 0 but for one that every query likes best.
SparseCase one_attractive_key(std::int64_t n, std::int64_t chunk_len, std::int64_t key) {
    SparseCase given = plain_sparse_case(n, chunk_len, 31, 1, 1);
    given.problem.rope.layout = RopeLayout::none;
    std::ranges::fill(given.inputs.q.values(), 1.0);
    std::ranges::fill(given.inputs.k.values(), 0.0);
    for (std::int64_t c = 0; c < 8; ++c) given.inputs.k(0, key, 0, c) = 1.0;
    return given;
}

}  // namespace

TEST_CASE("H53: a short first segment shrinks the head for the rest of the sequence") {
    SparseCase given = plain_sparse_case(192, 64, 1000, 1000, 2);
    const auto sizes = [&] {
        List out;
        for (const auto& plan : sparse::plans(given.problem, given.inputs, given.config))
            out.push_back(plan.sizes.slash);
        return out;
    };
    CHECK(sizes() == List{64, 64, 64});
    given.config.rules.persistent_clamp = false;
    CHECK(sizes() == List{64, 128, 192});
    // A new call starts afresh: the same last segment as chunked prefill keeps all 192.
    given.config.rules.persistent_clamp = true;
    given.problem.shape.seq_q = 64;
    given.inputs.q = Tensor4(q_extents(given.problem.shape));
    given.inputs.dout.reset();
    CHECK(sizes() == List{192});
}

TEST_CASE("V = 30 means 130") {
    for (const auto& [asked, got] : std::vector<std::pair<std::int64_t, std::int64_t>>{{29, 29}, {30, 130}, {31, 31}}) {
        const SparseCase given = plain_sparse_case(200, 200, asked, 100, 3);
        CHECK(sparse::plans(given.problem, given.inputs, given.config)[0].picks.vertical.size() ==
              static_cast<std::size_t>(got));
    }
}

TEST_CASE("H54: with fewer than 100 slashes the diagonal is not among them") {
    // The last 100 diagonals tie at infinity; the lowest index is distance 99. Intra lists of rows 256 .. 511: vertical
    // 50 and slash 99, so rows 256 .. 305 attend to nothing in their own chunk, not even to themselves.
    const SparseCase given = one_attractive_key(512, 256, 256 + 50);
    const auto plans = sparse::plans(given.problem, given.inputs, given.config);
    REQUIRE(plans.size() == 2);
    CHECK(plans[1].picks.slash == List{412});
    CHECK(plans[1].modes[1].mode == Mode::intra);
    CHECK(plans[1].modes[1].vertical == List{50});
    CHECK(plans[1].modes[1].slash == List{99});
    CHECK(row_keys(plans[1], Mode::intra, 0, 64).empty());
    CHECK(row_keys(plans[1], Mode::intra, 49, 64).empty());
    CHECK(row_keys(plans[1], Mode::intra, 50, 64) == List{50});
    CHECK_FALSE(row_keys(plans[1], Mode::succ, 0, 64).empty());
    // The published kernel gives the empty part lse +inf and its merge NaN (H31); here the succ part alone remains.
    const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
    const auto succ = static_cast<double>(row_keys(plans[1], Mode::succ, 0, 64).size());
    CHECK(std::abs(outputs.lse(0, 0, 256) - std::log(succ)) <= 8 * 0x1p-53 * std::log(succ));  // all logits are 0
    CHECK(sparse::attended_statistics(plans, given.config, 1)[0].empty_rows == 0);

    // A key of the first chunk alone: with key 0 forced every row has at least that one ...
    SparseCase first = one_attractive_key(256, 256, 50);
    first.config.vertical_size = {1};
    CHECK(sparse::plans(first.problem, first.inputs, first.config)[0].picks.vertical == List{0});
    // ... and where it is not, rows 0 .. 49 attend to nothing at all.
    first.config.forced_verticals = 0;
    const auto lone = sparse::plans(first.problem, first.inputs, first.config);
    CHECK(lone[0].picks.vertical == List{50});
    CHECK(sparse::attended_statistics(lone, first.config, 1)[0].empty_rows == 50);
    const Outputs empty = sparse::sparse_forward(first.problem, first.inputs, first.config);
    for (std::int64_t row : {0, 49}) {
        CHECK(empty.lse(0, 0, row) == -std::numeric_limits<double>::infinity());
        for (std::int64_t c = 0; c < 8; ++c) CHECK(empty.out(0, row, 0, c) == 0);
    }
    CHECK(std::isfinite(empty.lse(0, 0, 50)));
}

TEST_CASE("H55: two fallbacks for an empty list") {
    using sparse::fallback_list;
    CHECK(fallback_list(sparse::Fallback::fifths, 64, 1000) == List{0, 12, 24, 36, 48});
    CHECK(fallback_list(sparse::Fallback::head_size, 64, 5) == List{0, 13, 26, 39, 52});
    CHECK(fallback_list(sparse::Fallback::head_size, 64, 6) == List{0, 11, 22, 33, 44, 55});
    CHECK(fallback_list(sparse::Fallback::head_size, 64, 1000).size() == 64);
    CHECK(fallback_list(sparse::Fallback::head_size, 10, 7) == List{0, 2, 4, 6, 8});
    CHECK(fallback_list(sparse::Fallback::head_size, 3, 1) == List{0});
    // Five entries from k = 5 on, all keys below; the stride of a fifth is cut to an integer.
    for (std::int64_t k = 1; k <= 4; ++k) {
        CHECK(fallback_list(sparse::Fallback::fifths, k, 1).size() == static_cast<std::size_t>(k));
    }
    for (std::int64_t k = 5; k <= 3000; ++k) {
        const List list = fallback_list(sparse::Fallback::fifths, k, 1);
        REQUIRE(list.size() == 5);
        REQUIRE(list[1] == k / 5);
    }
    // Forced verticals fill V = 3, none is left for the second chunk: a table of 3 cannot take the fallback of 5.
    SparseCase given = plain_sparse_case(260, 130, 3, 100, 4);
    CHECK_THROWS_AS(sparse::plans(given.problem, given.inputs, given.config), Unsupported);
    given.config.rules = sparse::sglang_later_rules;
    const auto plans = sparse::plans(given.problem, given.inputs, given.config);
    CHECK(plans[1].modes[1].vertical == List{0, 44, 88});
    // Five slashes, all 90 keys and more before the last row, of which the second chunk has 10.
    given = plain_sparse_case(140, 130, 31, 5, 4);
    CHECK_THROWS_AS(sparse::plans(given.problem, given.inputs, given.config), Unsupported);
    given.config.rules = sparse::sglang_later_rules;
    CHECK(sparse::plans(given.problem, given.inputs, given.config)[1].modes[1].slash == List{8, 6, 4, 2, 0});
}

TEST_CASE("H56: ties among the forced entries go to the lowest index, and head_dim is free") {
    SparseCase given = plain_sparse_case(300, 300, 7, 40, 5);
    given.problem.shape.head_dim = 6;
    given.inputs.q = Tensor4(q_extents(given.problem.shape));
    given.inputs.k = Tensor4(k_extents(given.problem.shape));
    const auto plan = sparse::plans(given.problem, given.inputs, given.config)[0];
    CHECK(plan.picks.vertical == List{0, 1, 2, 3, 4, 5, 6});
    REQUIRE(plan.picks.slash.size() == 40);
    CHECK(plan.picks.slash.front() == 200);
    CHECK(plan.picks.slash.back() == 239);
}

TEST_CASE("H58: the selection rotates queries further than the attention does") {
    const ChunkConfig chunk{6, 2};  // L = 4
    List succ, inter;
    for (std::int64_t i = 8; i < 12; ++i) {
        succ.push_back(sparse::critical_position(chunk, QueryIndex(i), Mode::succ).value());
        inter.push_back(sparse::critical_position(chunk, QueryIndex(i), Mode::inter).value());
        CHECK(sparse::critical_position(chunk, QueryIndex(i), Mode::intra).value() == i - 8);
    }
    CHECK(succ == List{4, 5, 6, 7});   // the attention has 4 5 6 6
    CHECK(inter == List{6, 7, 8, 9});  // the attention has 6 6 6 6
    // The picks differ from what real positions would choose, in most cases that have a choice.
    std::size_t different = 0, compared = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SparseCase given = plain_sparse_case(60, 12, 12, 12, seed);
        given.config.forced_verticals = given.config.forced_slashes = 2;
        given.config.rules = sparse::sglang_later_rules;
        const auto unclamped = brute_force(given.problem, given.inputs, given.config);
        const auto clamped = brute_force(given.problem, given.inputs, given.config, VotePositions::clamped);
        for (std::size_t n = 0; n < clamped.segments.size(); ++n, ++compared) {
            different += clamped.segments[n].vertical != unclamped.segments[n].vertical ? 1 : 0;
        }
    }
    CAPTURE(different, compared);
    CHECK(compared == 100);
    CHECK(different >= 20);
}
