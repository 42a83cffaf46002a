// Position tables typed in by hand, and the facts that follow from the definition, exhaustively for small problems.
#include <algorithm>
#include <sstream>

#include "reference/oracle/positions.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

std::int64_t distance(ChunkConfig chunk, std::int64_t i, std::int64_t j) {
    return relative_position(chunk, QueryIndex(i), KeyIndex(j)).value();
}

/// Relative positions of row i to keys 0 .. i; a bar where a chunk ends.
struct Row {
    ChunkConfig chunk;
    std::int64_t i;
    const char* distances;
};

const Row rows[] = {
    {{6, 2}, 0, "0"},
    {{6, 2}, 3, "3 2 1 0"},
    {{6, 2}, 4, "4 3 2 1 | 0"},
    {{6, 2}, 5, "5 4 3 2 | 1 0"},
    {{6, 2}, 6, "6 5 4 3 | 2 1 0"},
    {{6, 2}, 7, "6 5 4 3 | 3 2 1 0"},
    {{6, 2}, 8, "6 5 4 3 | 4 3 2 1 | 0"},
    {{6, 2}, 9, "6 5 4 3 | 5 4 3 2 | 1 0"},
    {{6, 2}, 10, "6 5 4 3 | 6 5 4 3 | 2 1 0"},
    {{6, 2}, 11, "6 5 4 3 | 6 5 4 3 | 3 2 1 0"},
    // The figure of the paper (s = 6, c = 10, w = 4) is code(9, 3), not code(10, 4): H1.
    {{9, 3}, 5, "5 4 3 2 1 0"},
    {{9, 3}, 6, "6 5 4 3 2 1 | 0"},
    {{9, 3}, 8, "8 7 6 5 4 3 | 2 1 0"},
    {{9, 3}, 9, "9 8 7 6 5 4 | 3 2 1 0"},
    {{9, 3}, 10, "9 8 7 6 5 4 | 4 3 2 1 0"},
    {{9, 3}, 11, "9 8 7 6 5 4 | 5 4 3 2 1 0"},
    {{10, 4}, 10, "10 9 8 7 6 5 | 4 3 2 1 0"},
    {{10, 4}, 11, "10 9 8 7 6 5 | 5 4 3 2 1 0"},
    {{4, 1}, 5, "4 3 2 | 2 1 0"},
    {{4, 1}, 6, "4 3 2 | 3 2 1 | 0"},
    {{4, 1}, 8, "4 3 2 | 4 3 2 | 2 1 0"},
    {{9, 4}, 10, "9 8 7 6 5 | 5 4 3 2 1 | 0"},
    {{5, 3}, 4, "3 2 | 2 1 | 0"},
    {{4, 0}, 5, "4 3 2 1 | 1 0"},
    {{4, 0}, 7, "4 3 2 1 | 3 2 1 0"},
};

/// Positions of the paper: stride s, local window w, pretraining length c.
std::int64_t paper_distance(std::int64_t s, std::int64_t w, std::int64_t c, std::int64_t i, std::int64_t j) {
    const std::int64_t key = j % s, row = i % s, chunks = i / s - j / s;
    if (chunks == 0) return row - key;
    if (chunks == 1) return (row < w ? s + row : c - 1) - key;
    return c - 1 - key;
}

template <class Check>
void for_small_chunks(std::int64_t largest, const Check& check) {
    for (std::int64_t C = 1; C <= largest; ++C) {
        for (std::int64_t w = 0; w < C; ++w) {
            CAPTURE(C, w);
            check(ChunkConfig{C, w});
        }
    }
}

TEST_CASE("relative positions and modes of the tables typed by hand") {
    for (const Row& row : rows) {
        CAPTURE(row.chunk.chunk_size, row.chunk.local_size, row.i);
        std::istringstream words(row.distances);
        std::vector<std::int64_t> expected;
        std::vector<int> bars_before;
        int bars = 0;
        for (std::string word; words >> word;) {
            if (word == "|") {
                ++bars;
            } else {
                expected.push_back(std::stoll(word));
                bars_before.push_back(bars);
            }
        }
        REQUIRE(expected.size() == static_cast<std::size_t>(row.i + 1));
        for (std::int64_t j = 0; j <= row.i; ++j) {
            CAPTURE(j);
            const auto at = static_cast<std::size_t>(j);
            CHECK(distance(row.chunk, row.i, j) == expected[at]);
            const Mode mode = all_modes[static_cast<std::size_t>(std::min(2, bars - bars_before[at]))];
            CHECK(pair_mode(row.chunk, QueryIndex(row.i), KeyIndex(j)) == mode);
        }
    }
}

TEST_CASE("relative positions are differences of the mapped positions (Def.2, Def.3)") {
    for_small_chunks(12, [](ChunkConfig chunk) {
        const std::int64_t C = chunk.chunk_size, L = chunk.chunk_len();
        for (std::int64_t i = 0; i < 4 * L + 2; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                const std::int64_t apart = i / L - j / L;
                const std::int64_t query = apart == 0   ? i % L
                                           : apart == 1 ? std::min(i % L + L, C)
                                                        : std::min(2 * L - 1, C);
                CHECK(distance(chunk, i, j) == query - j % L);
            }
        }
    });
}

TEST_CASE("range, exact window and the first wrong distance") {
    for_small_chunks(12, [](ChunkConfig chunk) {
        const std::int64_t C = chunk.chunk_size, w = chunk.local_size, L = chunk.chunk_len(), n = 4 * L + 2;
        std::int64_t least = n, most = -1, first_wrong = n;
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                const std::int64_t M = distance(chunk, i, j);
                least = std::min(least, M);
                most = std::max(most, M);
                if (M != i - j) first_wrong = std::min(first_wrong, i - j);
                CHECK(distance(chunk, i + L, j + L) == M);
                if (pair_mode(chunk, QueryIndex(i), KeyIndex(j)) == Mode::succ) CHECK(M >= std::min(i % L, w) + 1);
            }
        }
        CHECK(least == 0);
        CHECK(most == std::min(C, 2 * L - 1));
        CHECK(first_wrong == std::min(w + 1, L) + 1);
    });
}

TEST_CASE("up to min(2L, C + 1) keys nothing differs from plain RoPE, and the bound is tight") {
    for_small_chunks(12, [](ChunkConfig chunk) {
        const std::int64_t bound = std::min(2 * chunk.chunk_len(), chunk.chunk_size + 1);
        bool next_row_differs = false;
        for (std::int64_t i = 0; i <= bound; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                const bool plain = distance(chunk, i, j) == i - j;
                if (i < bound) CHECK(plain);
                if (i == bound) next_row_differs = next_row_differs || !plain;
            }
        }
        CHECK(next_row_differs);
    });
}

TEST_CASE("the paper's positions are code(c - 1, c - 1 - s) where the clamp comes before the next chunk's end") {
    CHECK(paper_distance(6, 4, 10, 10, 0) == 9);
    for_small_chunks(12, [](ChunkConfig chunk) {
        const std::int64_t C = chunk.chunk_size, w = chunk.local_size, L = chunk.chunk_len();
        for (std::int64_t i = 0; i < 4 * L + 2; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                if (C <= 2 * L - 1) CHECK(distance(chunk, i, j) == paper_distance(L, w + 1, C + 1, i, j));
            }
        }
    });
}

TEST_CASE("positions up to 2^31 are exact") {
    const std::int64_t far = max_position - 1;
    CHECK(distance({max_position, 0}, far, 0) == far);
    CHECK(distance({max_position, 0}, far, far) == 0);
    CHECK(distance({8192, 1024}, far, 0) == 8192);
    CHECK(distance({8192, 1024}, far, 7167) == 8192 - 7167);
    CHECK(distance({8192, 1024}, far, 7168) == 8192);
}

TEST_CASE("a query sees the keys up to its own index") {
    CHECK(visible(QueryIndex(3), KeyIndex(3)));
    CHECK_FALSE(visible(QueryIndex(3), KeyIndex(4)));
    CHECK_FALSE(visible(QueryIndex(-1), KeyIndex(0)));
    CHECK_THROWS_AS(relative_position({6, 2}, QueryIndex(-1), KeyIndex(0)), ContractError);
    CHECK_THROWS_AS(pair_mode({6, 2}, QueryIndex(1), KeyIndex(2)), ContractError);

    const Sequence sequence{.queries = 9, .keys = 4, .offset = -3};
    const std::int64_t expected[] = {0, 0, 0, 1, 2, 3, 4, 4, 4};
    for (std::int64_t row = 0; row < 9; ++row) CHECK(sequence.visible_keys(row) == expected[row]);
}

TEST_CASE("sequences of a batch and of a packed problem") {
    Problem batch;
    batch.shape = {.batch = 2, .seq_q = 3, .seq_k = 8};
    REQUIRE(sequences(batch).size() == 2);
    CHECK(sequences(batch)[1].batch == 1);
    CHECK(sequences(batch)[1].query(0) == QueryIndex(5));

    Problem packed;
    packed.shape = {.seq_q = 9, .seq_k = 9};
    packed.cu_seqlens = {0, 4, 4, 9};
    const std::vector<Sequence> parts = sequences(packed);
    REQUIRE(parts.size() == 3);
    CHECK(parts[1].queries == 0);
    CHECK(parts[2].first_query == 4);
    CHECK(parts[2].first_key == 4);
    CHECK(parts[2].keys == 5);
    CHECK(parts[2].query(0) == QueryIndex(0));
}

}  // namespace
}  // namespace dca::oracle
