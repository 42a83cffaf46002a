// The attended set of one tile: against the step-by-step walk, and the properties and examples of V.7.
#include <algorithm>
#include <random>
#include <set>

#include "reference/sparse/tile_keys.hpp"
#include "reference/spec/error.hpp"
#include "tests/reference/sparse/block_walk.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using sparse::KeyRange;
using sparse::ModeLists;
using List = std::vector<std::int64_t>;

namespace {

std::set<std::int64_t> keys_of(const sparse::TileKeys& tile) {
    const List all = tile.keys();
    std::set<std::int64_t> out(all.begin(), all.end());
    REQUIRE(out.size() == all.size());  // blocks and columns are disjoint
    return out;
}

struct RandomLists {
    ModeLists lists;
    std::int64_t block;
};

RandomLists random_lists(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const auto between = [&](std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
    };
    const std::int64_t block = between(0, 3) == 0 ? 64 : between(1, 11);
    const Mode mode = all_modes[static_cast<std::size_t>(between(0, 2))];
    const std::int64_t keys = between(1, 6 * block + 3);
    const std::int64_t rows = mode == Mode::intra ? between(1, keys) : between(1, 5 * block + 3);
    std::set<std::int64_t> vertical, slash;
    const std::int64_t largest = mode == Mode::intra ? keys - 1 : keys + rows - 1;
    for (std::int64_t n = between(1, 12); n > 0; --n) vertical.insert(between(0, keys - 1));
    for (std::int64_t n = between(1, 12); n > 0; --n) {
        slash.insert(between(0, between(0, 3) ? largest : std::min<std::int64_t>(largest, 4)));
    }
    return {{mode, 0, keys, rows, {vertical.begin(), vertical.end()}, {slash.rbegin(), slash.rend()}}, block};
}

/// Requested keys of row m that it sees: verticals, and where its slashes meet a key.
std::set<std::int64_t> requested(const ModeLists& lists, std::int64_t m) {
    std::set<std::int64_t> out;
    for (std::int64_t v : lists.vertical) out.insert(v);
    for (std::int64_t s : lists.slash) out.insert(lists.base() + m - s);
    std::erase_if(out, [&](std::int64_t key) { return key < 0 || key >= sparse::visible_keys(lists, m); });
    return out;
}

ModeLists lists(Mode mode, std::int64_t keys, std::int64_t rows, List vertical, List slash) {
    return {mode, 0, keys, rows, std::move(vertical), std::move(slash)};
}

}  // namespace

TEST_CASE("tiles agree with the walk of the published index builder") {
    std::size_t tiles = 0;
    for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
        CAPTURE(seed);
        const auto [lists, block] = random_lists(seed);
        for (std::int64_t start = 0; start < lists.rows; start += block, ++tiles) {
            const bool causal = lists.mode == Mode::intra;
            const auto expected =
                sparse_test::walk({causal, lists.key_count, lists.rows, start, block, lists.vertical, lists.slash});
            auto got = keys_of(sparse::tile_keys(lists, start, block));
            // Keys beyond the tile's last row are blocks that the causal mask empties; only the walk lists them.
            const std::int64_t visible = causal ? lists.base() + start + block : lists.key_count;
            std::set<std::int64_t> seen(expected.begin(), expected.lower_bound(visible));
            got.erase(got.lower_bound(visible), got.end());
            REQUIRE(got == seen);
        }
    }
    CHECK(tiles >= 40000);
}

TEST_CASE("P22: nothing requested is missed with slash 0, nor in succ and inter in any case") {
    std::size_t missed_without_diagonal = 0;
    for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
        CAPTURE(seed);
        const auto [lists, block] = random_lists(seed);
        const bool complete = lists.mode != Mode::intra || lists.slash.back() == 0;
        for (std::int64_t m = 0; m < lists.rows; ++m) {
            const auto keys = keys_of(sparse::tile_keys(lists, m / block * block, block));
            const auto wanted = requested(lists, m);
            const bool covered = std::ranges::includes(keys, wanted);
            if (complete) REQUIRE(covered);
            missed_without_diagonal += covered ? 0 : 1;
        }
    }
    CHECK(missed_without_diagonal >= 1000);
}

TEST_CASE("H54: without slash 0 the verticals right of the last range are lost") {
    // Tile of rows 64 .. 127: slash 100 asks for keys [-36, 28), widened to [0, 64); vertical 90 is right of it.
    const auto without = sparse::tile_keys(lists(Mode::intra, 128, 128, {10, 90}, {100}), 64, 64);
    CHECK(without.ranges == std::vector<KeyRange>{{0, 64}});
    CHECK(without.columns.empty());
    const auto with = sparse::tile_keys(lists(Mode::intra, 128, 128, {10, 90}, {100, 0}), 64, 64);
    CHECK(with.ranges == std::vector<KeyRange>{{0, 128}});
    // Where no slash reaches the tile, its verticals are columns up to the tile's end and nothing is lost.
    const auto none = sparse::tile_keys(lists(Mode::intra, 128, 128, {10, 63, 90}, {100}), 0, 64);
    CHECK(none.ranges.empty());
    CHECK(none.columns == List{10, 63});
    // In succ the same lists lose nothing.
    const auto succ = sparse::tile_keys(lists(Mode::succ, 128, 128, {10, 90}, {228}), 64, 64);
    CHECK(succ.ranges == std::vector<KeyRange>{{0, 64}});
    CHECK(succ.columns == List{90});
}

TEST_CASE("H57: blocks are whole and unaligned, so keys are attended that nobody asked for") {
    // Slash 200 asks for keys [56, 120), slash 190 for [66, 130): the range grows by a whole block, to 184.
    const auto grown = sparse::tile_keys(lists(Mode::succ, 256, 64, {}, {200, 190}), 0, 64);
    CHECK(grown.ranges == std::vector<KeyRange>{{56, 184}});
    CHECK(grown.keys().size() - (130 - 56) == 54);
    // Slash 300 asks for keys [0, 20): the block is moved to start at key 0 and has 44 more.
    const auto clamped = sparse::tile_keys(lists(Mode::succ, 256, 64, {}, {300}), 0, 64);
    CHECK(clamped.ranges == std::vector<KeyRange>{{0, 64}});
    // A slash that only touches the tile's corner (slash = edge) asks for nothing and still brings a block.
    CHECK(sparse::tile_keys(lists(Mode::succ, 256, 64, {}, {320}), 0, 64).ranges == std::vector<KeyRange>{{0, 64}});
    CHECK(sparse::tile_keys(lists(Mode::succ, 256, 64, {}, {321}), 0, 64).ranges.empty());
    // Ranges end with the keys of the mode.
    CHECK(sparse::tile_keys(lists(Mode::inter, 70, 64, {}, {70}), 0, 64).ranges == std::vector<KeyRange>{{0, 64}});
    CHECK(sparse::tile_keys(lists(Mode::inter, 70, 64, {}, {40}), 0, 64).ranges == std::vector<KeyRange>{{30, 70}});
}

TEST_CASE("the last tile of a segment reaches past its last row") {
    // 100 rows, tile of rows 64 .. 99: its edge is 128 all the same, so slash 0 brings keys [64, 128) cut at 100.
    const auto tile = sparse::tile_keys(lists(Mode::intra, 100, 100, {3, 64}, {0}), 64, 64);
    CHECK(tile.ranges == std::vector<KeyRange>{{64, 100}});
    CHECK(tile.columns == List{3});
    // Slash 20, wanted by rows 64 .. 99 for keys 44 .. 79, brings [44, 108) cut at 100.
    CHECK(sparse::tile_keys(lists(Mode::intra, 100, 100, {}, {20}), 64, 64).ranges == std::vector<KeyRange>{{44, 100}});
}

TEST_CASE("a mode without slashes is a broken precondition") {
    CHECK_THROWS_AS(sparse::tile_keys(lists(Mode::intra, 8, 8, {1}, {}), 0, 4), ContractError);
}
