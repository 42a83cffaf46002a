// The dictionary between paper and code against a search over every setting. Two settings have the same positions iff
// every visible pair has the same mode and relative position. With strides s and t, s < t, query s sees key 0 in
// different modes. With one stride s, key positions are equal, and succ positions (one per i mod s) and the inter
// position are functions of the mode and i mod s: all of them have occurred, at key 0, once query 2s has.
// So 2 max(s, t) + 1 tokens decide; 55 do for strides up to 27.
#include "reference/math/paper_code.hpp"

#include <map>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/oracle/positions.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using reference::NoCodeSettings;
using reference::PaperSettings;

namespace {

constexpr std::int64_t tokens = 55, largest_c = 13, largest_code = 27;

/// Relative positions of the pairs (i, 0 .. i), row after row.
using Map = std::vector<std::int64_t>;

/// Ends of the rows in a Map.
std::size_t rows_up_to(std::int64_t query) {
    return static_cast<std::size_t>((query + 1) * (query + 2) / 2);
}

Map code_map(const ChunkConfig& chunk) {
    Map map;
    for (std::int64_t i = 0; i < tokens; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            map.push_back(oracle::relative_position(chunk, QueryIndex(i), KeyIndex(j)).value());
        }
    }
    return map;
}

/// From the formulas of the paper, with its erratum in the third case corrected.
Map paper_map(const PaperSettings& paper) {
    const auto& [s, w, c] = paper;
    Map map;
    for (std::int64_t i = 0; i < tokens; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            const std::int64_t apart = i / s - j / s, r = i % s;
            const std::int64_t succ = r < w ? s + r : c - 1;
            map.push_back((apart == 0 ? r : apart == 1 ? succ : c - 1) - j % s);
        }
    }
    return map;
}

std::vector<ChunkConfig> code_settings(std::int64_t largest) {
    std::vector<ChunkConfig> all;
    for (std::int64_t size = 1; size <= largest; ++size) {
        for (std::int64_t local = 0; local < size; ++local) all.push_back({size, local});
    }
    return all;
}

/// Every s, w_p, c up to 13, windows too wide and too narrow for the paper included.
std::vector<PaperSettings> paper_settings() {
    std::vector<PaperSettings> all;
    for (std::int64_t c = 1; c <= largest_c; ++c) {
        for (std::int64_t s = 1; s <= c; ++s) {
            for (std::int64_t w = 0; w <= c + 1; ++w) all.push_back({s, w, c});
        }
    }
    return all;
}

}  // namespace

TEST_CASE("paper settings convert to code exactly when some code setting has the same positions") {
    // min(i mod L + L, C) and min(2L - 1, C) do not change beyond C = 2L - 1, so 27 covers every map of strides to 14.
    std::map<Map, std::vector<ChunkConfig>> with_map;
    for (const ChunkConfig& chunk : code_settings(largest_code)) with_map[code_map(chunk)].push_back(chunk);
    int convertible = 0, not_convertible = 0;
    for (const PaperSettings& paper : paper_settings()) {
        CAPTURE(paper.stride, paper.window, paper.length);
        const auto found = with_map.find(paper_map(paper));
        const auto converted = reference::to_code(paper);
        const auto* code = std::get_if<ChunkConfig>(&converted);
        REQUIRE((code != nullptr) == (found != with_map.end()));
        if (code == nullptr) {
            ++not_convertible;
            continue;
        }
        ++convertible;
        CHECK(code_map(*code) == found->first);
        CHECK(code->chunk_len() == paper.stride);  // the same modes
        for (const ChunkConfig& other : found->second) CHECK(other.chunk_len() == paper.stride);
    }
    CHECK(convertible > 100);
    CHECK(not_convertible > 500);
}

TEST_CASE("the reason names the first query that no code setting represents") {
    std::vector<std::pair<ChunkConfig, Map>> codes;
    for (const ChunkConfig& chunk : code_settings(largest_code)) codes.emplace_back(chunk, code_map(chunk));
    for (const PaperSettings& paper : paper_settings()) {
        CAPTURE(paper.stride, paper.window, paper.length);
        const auto converted = reference::to_code(paper);
        const auto* none = std::get_if<NoCodeSettings>(&converted);
        if (none == nullptr) continue;
        const Map map = paper_map(paper);
        std::int64_t first = 0;  // rows that some code setting of this stride agrees on
        for (const auto& [chunk, code] : codes) {
            if (chunk.chunk_len() != paper.stride) continue;
            std::int64_t row = 0;
            while (row < tokens &&
                   std::equal(map.begin(), map.begin() + static_cast<std::ptrdiff_t>(rows_up_to(row)), code.begin())) {
                ++row;
            }
            first = std::max(first, row);
        }
        CHECK(none->query.value() == first);
        CHECK(none->position.value() == map[rows_up_to(first - 1)]);  // of the pair (first, 0): key 0 is at 0
        CHECK(none->reason.find("query " + std::to_string(first) + " is at position " +
                                std::to_string(none->position.value())) == 0);
    }
}

TEST_CASE("every code setting up to C = 12 has paper settings with the same positions, and back") {
    for (const ChunkConfig& chunk : code_settings(12)) {
        CAPTURE(chunk.chunk_size, chunk.local_size);
        const PaperSettings paper = reference::to_paper(chunk);
        const Map map = code_map(chunk);
        CHECK(paper_map(paper) == map);
        CHECK(paper_map({paper.stride, paper.length - 1 - paper.stride, paper.length}) == map);
        // c = C + 1 does iff C <= 2L - 1, with whatever window.
        bool with_next = false;
        for (std::int64_t w = 0; w <= chunk.chunk_size + 1; ++w) {
            with_next = with_next || paper_map({chunk.chunk_len(), w, chunk.chunk_size + 1}) == map;
        }
        CHECK(with_next == (chunk.chunk_size <= 2 * chunk.chunk_len() - 1));
        const auto back = reference::to_code(paper);
        REQUIRE(std::holds_alternative<ChunkConfig>(back));
        CHECK(code_map(std::get<ChunkConfig>(back)) == map);
        CHECK((std::get<ChunkConfig>(back) == chunk) == with_next);
    }
}

TEST_CASE("the dialect paper has the positions of the paper's settings") {
    for (const PaperSettings& paper : paper_settings()) {
        CAPTURE(paper.stride, paper.window, paper.length);
        Problem problem;
        problem.shape = {.seq_q = tokens, .seq_k = tokens, .head_dim = 2, .head_dim_v = 2};
        problem.chunk = {paper.length, paper.length - paper.stride};
        problem.dialect = "paper";
        if (paper.window != problem.chunk.local_size) problem.facts.paper_window = paper.window;
        const reference::PositionMap positions(problem);
        const Map expected = paper_map(paper);
        std::size_t at = 0;
        bool same = true;
        for (std::int64_t i = 0; i < tokens; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                const Mode mode = *reference::pair_mode(problem.chunk, QueryIndex(i), KeyIndex(j));
                same = same && positions.query(QueryIndex(i), mode) - positions.key(KeyIndex(j)) ==
                                   static_cast<double>(expected[at++]);
            }
        }
        CHECK(same);
    }
}

TEST_CASE("the paper's figure 2 is code 9, 3, and impossible settings are refused") {
    CHECK(std::get<ChunkConfig>(reference::to_code({6, 4, 10})) == ChunkConfig{9, 3});
    CHECK(std::get<ChunkConfig>(reference::to_code({6, 3, 10})) == ChunkConfig{9, 3});
    CHECK(reference::to_paper({9, 3}) == PaperSettings{6, 4, 10});
    CHECK(reference::to_paper({5, 3}) == PaperSettings{2, 2, 4});
    CHECK(std::get<NoCodeSettings>(reference::to_code({6, 2, 10})).reason ==
          "query 8 is at position 9 for the keys of the chunk before, and in code at most at 8, one more than the "
          "query before");
    const std::int64_t million = 1000000;  // nothing is enumerated
    CHECK(std::get<ChunkConfig>(reference::to_code({1000 * million, million, 1001 * million})) ==
          ChunkConfig{1001 * million - 1, million - 1});
    CHECK_THROWS_AS(reference::to_code({0, 0, 5}), InvalidProblem);
    CHECK_THROWS_AS(reference::to_code({3, -1, 5}), InvalidProblem);
    CHECK_THROWS_AS(reference::to_code({6, 1, 5}), InvalidProblem);
}
