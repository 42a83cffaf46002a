// The reference's maps against the oracle's, which are formed differently, exhaustively for small chunks.
#include "reference/math/chunk_positions.hpp"

#include "reference/oracle/positions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

TEST_CASE("relative positions and modes agree with the oracle for every chunk setting up to C = 12") {
    for (std::int64_t chunk_size = 1; chunk_size <= 12; ++chunk_size) {
        for (std::int64_t local_size = 0; local_size < chunk_size; ++local_size) {
            const ChunkConfig chunk{chunk_size, local_size};
            CAPTURE(chunk_size, local_size);
            const reference::PositionMap map(test::plain_problem(1, chunk));
            bool same = true;
            for (std::int64_t i = 0; i < 4 * chunk_size; ++i) {
                for (std::int64_t j = 0; j < 4 * chunk_size; ++j) {
                    const auto mode = reference::pair_mode(chunk, QueryIndex(i), KeyIndex(j));
                    same = same && mode.has_value() == oracle::visible(QueryIndex(i), KeyIndex(j));
                    if (!mode) continue;
                    const double distance = map.query(QueryIndex(i), *mode) - map.key(KeyIndex(j));
                    same = same && *mode == oracle::pair_mode(chunk, QueryIndex(i), KeyIndex(j)) &&
                           distance == static_cast<double>(
                                           oracle::relative_position(chunk, QueryIndex(i), KeyIndex(j)).value());
                }
            }
            CHECK(same);
        }
    }
}

TEST_CASE("key spans list exactly the visible keys of each mode") {
    for (std::int64_t chunk_len = 1; chunk_len <= 5; ++chunk_len) {
        const ChunkConfig chunk{chunk_len + 2, 2};
        for (std::int64_t keys = 1; keys <= 17; ++keys) {
            for (std::int64_t i = 0; i < 20; ++i) {
                CAPTURE(chunk_len, keys, i);
                std::vector<int> seen(static_cast<std::size_t>(keys), 0);
                bool right_mode = true;
                for (const auto& span : reference::key_spans(chunk, ChunkIndex(i / chunk_len), keys)) {
                    for (std::int64_t j = span.begin; j < span.end; ++j) {
                        if (span.mode == Mode::intra && j > i) continue;
                        seen[static_cast<std::size_t>(j)]++;
                        right_mode = right_mode && reference::pair_mode(chunk, QueryIndex(i), KeyIndex(j)) == span.mode;
                    }
                }
                bool once = true;
                for (std::int64_t j = 0; j < keys; ++j)
                    once = once && seen[static_cast<std::size_t>(j)] == (j <= i ? 1 : 0);
                CHECK(once);
                CHECK(right_mode);
            }
        }
    }
}

TEST_CASE("row regions name the farthest mode that touches a row") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        RowRegions expected{std::vector<Region>(static_cast<std::size_t>(problem.shape.seq_q), Region::none),
                            std::vector<Region>(static_cast<std::size_t>(problem.shape.seq_k), Region::none)};
        for (const auto& seq : oracle::sequences(problem)) {
            for (std::int64_t r = 0; r < seq.queries; ++r) {
                for (std::int64_t j = 0; j < seq.keys; ++j) {
                    if (!oracle::visible(seq.query(r), KeyIndex(j))) continue;
                    const auto region = static_cast<Region>(
                        1 + static_cast<int>(oracle::pair_mode(problem.chunk, seq.query(r), KeyIndex(j))));
                    auto& query = expected.query[static_cast<std::size_t>(seq.first_query + r)];
                    auto& key = expected.key[static_cast<std::size_t>(seq.first_key + j)];
                    query = std::max(query, region);
                    key = std::max(key, region);
                }
            }
        }
        CHECK(reference::row_regions(problem) == expected);
    }
}
