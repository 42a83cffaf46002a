// Tiles against the definition, pair by pair, for every small problem: each row and each key in one tile, the mode of
// every pair and both positions (Def.2, Def.3, Def.12).
#include "gpu/host/tiles.hpp"

#include <algorithm>
#include <string>

#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::gpu;
using namespace dca::gpu::host;

namespace {

/// Def.2 and Def.3 as they are written; -1: not visible.
struct Pair {
    int mode;  ///< 0 intra, 1 succ, 2 inter
    std::int64_t query, key;
    friend bool operator==(const Pair&, const Pair&) = default;
};
constexpr Pair unseen{-1, 0, 0};

Pair defined(const ChunkConfig& chunk, std::int64_t i, std::int64_t j) {
    if (j > i) return unseen;
    const std::int64_t L = chunk.chunk_size - chunk.local_size, C = chunk.chunk_size, apart = i / L - j / L;
    if (apart == 0) return {0, i % L, j % L};
    if (apart == 1) return {1, std::min(i % L + L, C), j % L};
    return {2, std::min(2 * L - 1, C), j % L};
}

const PlacedKeyTile* tile_of_key(const std::vector<PlacedKeyTile>& tiles, std::int64_t row) {
    const PlacedKeyTile* found = nullptr;
    for (const PlacedKeyTile& placed : tiles) {
        if (row < placed.tile.row || row >= placed.tile.row + placed.tile.rows) continue;
        if (found != nullptr) return nullptr;  // in two tiles
        found = &placed;
    }
    return found;
}

/// What a kernel does with row r of a tile and key j of the sequence.
Pair planned(const PlacedQueryTile& placed, std::int64_t r, std::int64_t j, const PlacedKeyTile& key) {
    const QueryTile& tile = placed.tile;
    if (j >= tile.intra_end || j > tile.diagonal + r) return unseen;
    const std::int64_t at = key.position + tile.key_row + j - key.tile.row;
    if (j >= tile.succ_end) return {0, placed.intra + r, at};
    if (j >= tile.inter_end) return {1, placed.succ + std::min(r, placed.succ_count - 1), at};
    return {2, placed.inter, at};
}

/// Empty, or what is wrong first.
std::string wrong(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t height) {
    const auto queries = query_tiles(sequence, chunk, height);
    const auto keys = key_tiles(sequence, chunk, height);
    std::int64_t next = sequence.row, pairs = 0;
    if (query_tile_count(sequence, chunk, height) != static_cast<std::int64_t>(queries.size())) return "count";
    for (const PlacedQueryTile& placed : queries) {
        const QueryTile& t = placed.tile;
        if (t.row != next || t.rows < 1 || t.rows > height) return "rows";
        next += t.rows;
        if (t.inter_end < 0 || t.succ_end < t.inter_end || t.intra_end < t.succ_end || t.intra_end > sequence.keys) {
            return "ranges";
        }
        for (std::int64_t r = 0; r < t.rows; ++r) {
            const std::int64_t i = t.row - sequence.row + r + sequence.offset;
            for (std::int64_t j = 0; j < sequence.keys; ++j, ++pairs) {
                const PlacedKeyTile* key = tile_of_key(keys, sequence.row + j);
                if (key == nullptr) return "key " + std::to_string(j) + " is not in one tile";
                if (!(planned(placed, r, j, *key) == defined(chunk, i, j))) {
                    return "pair " + std::to_string(i) + ", " + std::to_string(j);
                }
            }
        }
    }
    if (next != sequence.row + sequence.queries) return "rows are missing";
    return pairs == sequence.queries * sequence.keys ? "" : "pairs";
}

}  // namespace

TEST_CASE("tiles have the mode and the positions of every pair, for every small problem") {
    std::int64_t problems = 0;
    for (std::int64_t C = 1; C <= 6; ++C) {
        for (std::int64_t w = 0; w < C; ++w) {
            for (std::int64_t height : {1, 2, 3, 8}) {
                for (std::int64_t queries = 1; queries <= 8; ++queries) {
                    for (std::int64_t keys = 1; keys <= 8; ++keys) {
                        for (std::int64_t offset = -9; offset <= 18; offset += 1 + (queries + keys) % 2) {
                            const std::string what = wrong({0, queries, keys, offset}, {C, w}, height);
                            ++problems;
                            if (what.empty()) continue;
                            FAIL("C " << C << " w " << w << " height " << height << " queries " << queries << " keys "
                                      << keys << " offset " << offset << ": " << what);
                        }
                    }
                }
            }
        }
    }
    CHECK(problems > 100000);
}

TEST_CASE("tiles of longer sequences that start within a tensor") {
    for (std::int64_t height : {1, 5, 16}) {
        for (const ChunkConfig chunk : {ChunkConfig{1, 0}, {9, 8}, {16, 0}, {21, 5}, {40, 8}, {300, 20}}) {
            for (const Sequence& sequence : {Sequence{7, 60, 60, 0}, {100, 61, 61, 0}, {3, 1, 1, 0}}) {
                CAPTURE(height, chunk.chunk_size, chunk.local_size, sequence.row, sequence.queries);
                CHECK(wrong(sequence, chunk, height) == "");
            }
        }
    }
}

TEST_CASE("a prompt in pieces is cut where the whole prompt is") {
    const ChunkConfig chunk{21, 5};
    std::vector<std::int64_t> whole, pieces;
    for (const PlacedQueryTile& placed : query_tiles({0, 50, 50, 0}, chunk, 6)) whole.push_back(placed.tile.row);
    for (std::int64_t begin : {0, 22}) {  // 22 is a border of a tile: 16 + 6
        const std::int64_t end = begin == 0 ? 22 : 50;
        for (const PlacedQueryTile& placed : query_tiles({0, end - begin, end, begin}, chunk, 6)) {
            pieces.push_back(placed.tile.row + begin);
        }
    }
    CHECK(pieces == whole);
    // A piece that starts within a tile takes the rest of that tile.
    CHECK(query_tiles({0, 10, 50, 24}, chunk, 6).front().tile.rows == 4);
}

TEST_CASE("indices near 2^31 keep their ranges") {
    const std::int64_t far = std::int64_t{1} << 30;
    const auto tiles = query_tiles({0, 5, 7, far}, {std::int64_t{1} << 31, 1647483649}, 64);
    // L = 500000000 - 1, so row 0 is in chunk 2: all seven keys are inter.
    for (const PlacedQueryTile& placed : tiles) {
        CHECK(placed.tile.inter_end == 7);
        CHECK(placed.tile.intra_end == 7);
        CHECK(placed.tile.diagonal == 7);
        CHECK(placed.inter == 2 * std::int64_t{499999999} - 1);
    }
    const auto before = query_tiles({0, 300, 7, -(std::int64_t{1} << 31)}, {4, 0}, 64);
    CHECK(before.size() == 5);
    for (const PlacedQueryTile& placed : before) CHECK(placed.tile.intra_end == 0);
}
