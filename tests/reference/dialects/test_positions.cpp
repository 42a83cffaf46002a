// The position maps of the dialects against the formulas of docs/dialects.md, written down again here.
#include <algorithm>
#include <cmath>

#include "reference/math/chunk_positions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

Problem problem_of(const std::string& dialect, ChunkConfig chunk) {
    Problem problem = test::plain_problem(4, chunk);
    problem.dialect = dialect;
    return problem;
}

/// Checks P_k, P_intra, P_succ and P_inter of one dialect for every chunk setting up to C = 12.
template <class Succ, class Inter>
void check_maps(const std::string& dialect, Succ succ, Inter inter) {
    CAPTURE(dialect);
    int settings = 0;
    for (std::int64_t c = 1; c <= 12; ++c) {
        for (std::int64_t w = 0; w < c; ++w) {
            const std::int64_t len = c - w;
            const reference::PositionMap map(problem_of(dialect, {c, w}));
            bool same = true;
            for (std::int64_t i = 0; i < 3 * c; ++i) {
                const std::int64_t r = i % len;
                same = same && map.key(KeyIndex(i)) == static_cast<double>(r) &&
                       map.query(QueryIndex(i), Mode::intra) == static_cast<double>(r) &&
                       map.query(QueryIndex(i), Mode::succ) == static_cast<double>(succ(r, len, c, w)) &&
                       map.query(QueryIndex(i), Mode::inter) == static_cast<double>(inter(len, c));
            }
            CAPTURE(c, w);
            CHECK(same);
            ++settings;
        }
    }
    CHECK(settings == 78);
}

using I = std::int64_t;

}  // namespace

TEST_CASE("position maps of every dialect without position scaling") {
    const auto clamped = [](I r, I len, I c, I) { return std::min(r + len, c); };
    const auto last_row = [](I len, I c) { return std::min(2 * len - 1, c); };
    for (const char* dialect : {"exact", "chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm",
                                "sglang", "megatron_pr4048", "megatron_bridge_pr4185", "llama_cpp_dca"}) {
        check_maps(dialect, clamped, last_row);
    }
    check_maps("zerollama", clamped, [](I, I c) { return c; });
    check_maps(
        "paper", [](I r, I len, I c, I w) { return r < w ? len + r : c - 1; }, [](I, I c) { return c - 1; });
}

TEST_CASE("the paper's window is its own fact, and a short one leaves a jump no code has") {
    Problem problem = problem_of("paper", {10, 4});  // s = 6, c = 10
    problem.facts.paper_window = 2;
    const reference::PositionMap map(problem);
    const double expected[] = {6, 7, 9, 9, 9, 9};
    for (std::int64_t r = 0; r < 6; ++r) CHECK(map.query(QueryIndex(6 + r), Mode::succ) == expected[r]);
}

TEST_CASE("linear scaling: chunkllama clamps before it divides, chunkqwen after (H12)") {
    Problem problem = problem_of("chunkllama", {4, 1});
    problem.rope.scaling = RopeScaling::linear;
    problem.rope.factor = 2;
    const double clamp_first[] = {1.5, 2, 2}, divide_first[] = {1.5, 1.75, 2};
    for (std::int64_t r = 0; r < 3; ++r) {
        problem.dialect = "chunkllama";
        CHECK(reference::PositionMap(problem).query(QueryIndex(r), Mode::succ) == clamp_first[r]);
        CHECK(reference::PositionMap(problem).query(QueryIndex(r), Mode::inter) == 2);
        problem.dialect = "chunkqwen";
        CHECK(reference::PositionMap(problem).query(QueryIndex(r), Mode::succ) == divide_first[r]);
        CHECK(reference::PositionMap(problem).query(QueryIndex(r), Mode::inter) == 2);
        CHECK(reference::PositionMap(problem).key(KeyIndex(r)) == static_cast<double>(r) / 2);
        problem.dialect = "exact";  // divides frequencies, not positions
        CHECK(reference::PositionMap(problem).query(QueryIndex(r), Mode::succ) ==
              static_cast<double>(std::min<I>(r + 3, 4)));
    }
}

TEST_CASE("every dialect has one row, and its names are found") {
    std::vector<std::string_view> names;
    for (const Dialect& dialect : dialects()) {
        CHECK(find_dialect(dialect.name) == &dialect);
        CHECK_FALSE(dialect.title.empty());
        CHECK_FALSE(dialect.source.empty());
        names.push_back(dialect.name);
    }
    CHECK(names.front() == "exact");
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
    CHECK(names.size() == 12);
    CHECK(find_dialect("nosuch") == nullptr);
}
