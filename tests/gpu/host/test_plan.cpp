// Whole plans: the positions that a kernel reads from the table, pair by pair; order, memory, and frequencies per
// sequence.
#include "gpu/host/plan.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "gpu/host/frequencies.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::gpu;
using namespace dca::gpu::host;

namespace {

/// One channel pair turned by P 2^-33: the sine tells every position up to 2^31.
Problem readable(Shape shape, ChunkConfig chunk, std::optional<std::int64_t> offset = std::nullopt) {
    Problem problem;
    problem.shape = shape;
    problem.chunk = chunk;
    problem.query_offset = offset;
    problem.dtype = Dtype::bf16;
    problem.rope.rotary_dim = 2;
    problem.rope.inv_freq = {0x1p-33};
    return problem;
}

std::int64_t position(const Plan& plan, std::int64_t row) {
    return std::llround(std::asin(plan.angles.at(static_cast<std::size_t>(2 * row + 1))) * 0x1p33);
}

/// Position of the query minus position of the key, the relative position of Def.3; nothing where not visible.
std::optional<std::int64_t> planned(const Plan& plan, const QueryTile& tile, std::int64_t r, std::int64_t j) {
    if (j >= tile.intra_end || j > tile.diagonal + r) return std::nullopt;
    std::int64_t row = tile.intra_angle + r;
    if (j < tile.succ_end) row = tile.succ_angle + std::min<std::int64_t>(r, tile.succ_angles - 1);
    if (j < tile.inter_end) row = tile.inter_angle;
    for (const KeyTile& key : plan.key_tiles) {
        const std::int64_t at = tile.key_row + j - key.row;
        if (at >= 0 && at < key.rows) return position(plan, row) - position(plan, key.angle + at);
    }
    throw ContractError("a key without a tile");
}

std::optional<std::int64_t> defined(const ChunkConfig& chunk, std::int64_t i, std::int64_t j) {
    const std::int64_t L = chunk.chunk_len(), C = chunk.chunk_size, apart = i < 0 ? 0 : i / L - j / L;
    if (j > i) return std::nullopt;
    return (apart == 0 ? i % L : apart == 1 ? std::min(i % L + L, C) : std::min(2 * L - 1, C)) - j % L;
}

/// Empty, or the first pair that differs. `begin`: the sequence's first row.
std::string wrong(const Problem& problem, const Plan& plan, std::int64_t begin, std::int64_t queries, std::int64_t keys,
                  std::int64_t offset) {
    std::int64_t rows = 0;
    for (const QueryTile& tile : plan.query_tiles) {
        if (tile.row < begin || tile.row >= begin + queries) continue;
        for (std::int64_t r = 0; r < tile.rows; ++r, ++rows) {
            const std::int64_t i = tile.row + r - begin + offset;
            for (std::int64_t j = 0; j < keys; ++j) {
                if (planned(plan, tile, r, j) != defined(problem.chunk, i, j)) {
                    return "pair " + std::to_string(i) + ", " + std::to_string(j);
                }
            }
        }
    }
    return rows == queries ? "" : "rows";
}

Problem packed(std::vector<std::int32_t> cu, ChunkConfig chunk) {
    Problem problem = readable({1, cu.back(), cu.back(), 2, 1, 16, 16}, chunk);
    problem.cu_seqlens = std::move(cu);
    return problem;
}

}  // namespace

TEST_CASE("the table gives every pair its relative position") {
    for (const ChunkConfig chunk : {ChunkConfig{1, 0}, {2, 1}, {9, 8}, {6, 2}, {40, 8}, {130, 30}, {1000, 100}}) {
        for (const Shape shape : {Shape{1, 150, 150, 2, 1, 16, 16},
                                  {2, 5, 90, 2, 1, 16, 16},
                                  {1, 1, 41, 2, 1, 16, 16},
                                  {1, 20, 11, 2, 1, 16, 16}}) {
            for (const std::int64_t offset : {shape.seq_k - shape.seq_q, std::int64_t{-3}, std::int64_t{200}}) {
                const Problem problem = readable(shape, chunk, offset);
                CAPTURE(chunk.chunk_size, chunk.local_size, shape.seq_q, shape.seq_k, offset);
                CHECK(wrong(problem, make_plan(problem), 0, shape.seq_q, shape.seq_k, offset) == "");
            }
        }
    }
}

TEST_CASE("tiles taller than one: a chunk of several tiles, for both kernels") {
    for (const ChunkConfig chunk : {ChunkConfig{300, 20}, {170, 42}, {280, 140}}) {
        const Problem problem = readable({1, 450, 450, 1, 1, 16, 16}, chunk);
        CAPTURE(chunk.chunk_size, chunk.local_size);
        CHECK(wrong(problem, make_plan(problem), 0, 450, 450, 0) == "");
    }
}

TEST_CASE("packed sequences: each for itself, empty ones without a tile") {
    const std::vector<std::int32_t> cu{0, 0, 37, 37, 38, 43, 101, 101};
    for (const ChunkConfig chunk : {ChunkConfig{16, 4}, {100, 5}, {1, 0}}) {
        const Problem problem = packed(cu, chunk);
        const Plan plan = make_plan(problem);
        for (std::size_t s = 1; s < cu.size(); ++s) {
            const std::int64_t length = cu[s] - cu[s - 1];
            CAPTURE(chunk.chunk_size, s);
            CHECK(wrong(problem, plan, cu[s - 1], length, length, 0) == "");
        }
    }
    const Plan nothing_but_one = make_plan(packed({0, 0, 1, 1}, {4, 0}));
    CHECK(nothing_but_one.query_tiles.size() == 1);
    CHECK(nothing_but_one.key_tiles.size() == 1);
}

TEST_CASE("positions near 2^30 and 2^31 cost a row each") {
    const std::int64_t far = std::int64_t{1} << 30, most = std::int64_t{1} << 31;
    for (const ChunkConfig chunk : {ChunkConfig{most - 1, 0}, {most - 1, 1200000000}, {most, 1647483649}, {most, 0}}) {
        for (const std::int64_t offset : {far, most - 5, most, std::int64_t{0}, -far, -most}) {
            const Problem problem = readable({1, 5, 7, 2, 2, 32, 32}, chunk, offset);
            const Plan plan = make_plan(problem);
            CAPTURE(chunk.local_size, offset);
            CHECK(wrong(problem, plan, 0, 5, 7, offset) == "");
            CHECK(plan.angle_rows <= 5 + 7);
        }
    }
}

TEST_CASE("the table holds O(min(chunk_size, n)) rows") {
    for (const std::int64_t n : {100, 3000}) {
        for (const ChunkConfig chunk : {ChunkConfig{64, 16}, {1000, 100}, {1000, 900}, {100000, 0}, {100000, 60000}}) {
            const Plan plan = make_plan(readable({1, n, n, 1, 1, 16, 16}, chunk));
            CAPTURE(n, chunk.chunk_size, plan.angle_rows);
            // Positions lie in [0, C]; keys use at most n, queries in each of the modes intra and succ at most n more.
            CHECK(plan.angle_rows <= std::min(chunk.chunk_size + 1, 3 * n + 1));
            CHECK(static_cast<std::int64_t>(plan.angles.size()) == 2 * plan.angle_rows);
        }
    }
    std::vector<std::int32_t> cu;
    for (int s = 0; s <= 500; ++s) cu.push_back(20 * s);
    CHECK(make_plan(packed(cu, {16, 4})).angle_rows <= 17);
}

TEST_CASE("blocks with most keys come first, rows and bounds hold for random problems") {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Problem problem = test::random_problem(seed);
        problem.dtype = seed % 3 == 0 ? Dtype::f64 : seed % 3 == 1 ? Dtype::bf16 : Dtype::f16;
        CAPTURE(seed, test::describe(problem));
        const Plan plan = make_plan(problem);
        CHECK(std::is_sorted(plan.query_tiles.begin(), plan.query_tiles.end(),
                             [](const QueryTile& a, const QueryTile& b) { return a.intra_end > b.intra_end; }));
        const std::int64_t pairs = problem.resolved_rotary_dim() / 2;
        CHECK(static_cast<std::int64_t>(plan.angles.size()) == 2 * pairs * plan.angle_rows);
        std::int64_t rows = 0;
        bool inside = true;
        const auto has = [&](std::int64_t first, std::int64_t count) {
            return first >= 0 && count >= 1 && first + count <= plan.angle_rows;
        };
        for (const QueryTile& tile : plan.query_tiles) {
            rows += tile.rows;
            if (tile.intra_end > tile.succ_end) inside = inside && has(tile.intra_angle, tile.rows);
            if (tile.succ_end > tile.inter_end) inside = inside && has(tile.succ_angle, tile.succ_angles);
            if (tile.inter_end > 0) inside = inside && has(tile.inter_angle, 1);
            inside = inside && tile.rows <= plan.shape.queries && tile.succ_angles >= 1;
        }
        for (const KeyTile& tile : plan.key_tiles) inside = inside && has(tile.angle, tile.rows);
        CHECK(inside);
        CHECK(rows == problem.shape.seq_q);
    }
}

TEST_CASE("dynamic: a packed sequence turns by the frequencies of its own length") {
    Problem problem;
    problem.shape = {1, 75, 75, 2, 2, 32, 32};
    problem.chunk = {16, 4};
    problem.cu_seqlens = {0, 12, 75};
    problem.rope.scaling = RopeScaling::dynamic;
    problem.rope.factor = 2;
    problem.rope.original_max_position = 20;
    problem.dtype = Dtype::bf16;
    const Plan plan = make_plan(problem);
    // Positions 0..11 of the short sequence, 0..16 of the long one.
    CHECK(plan.angle_rows == 12 + 17);
    for (const KeyTile& tile : plan.key_tiles) {
        const auto frequencies = inverse_frequencies(problem, tile.row < 12 ? 12 : 63);
        const std::size_t second = (static_cast<std::size_t>(tile.angle) + 1) * 32;  // position 1, pair 3
        // The table is within 3 * 2^-53 of exact (docs/kernels.md); sin(f_3) is above 0.1, so relatively ten times
        // that.
        if (tile.rows > 1) CHECK(plan.angles[second + 7] == Approx(std::sin(frequencies[3])).epsilon(1e-14));
    }
    // Equal lengths share, and so do all where the given frequencies leave nothing to depend on a length.
    problem.cu_seqlens = {0, 25, 50, 75};
    CHECK(make_plan(problem).angle_rows == 17);
    problem.cu_seqlens = {0, 12, 75};
    problem.rope.inv_freq.assign(16, 0.5);
    CHECK(make_plan(problem).angle_rows == 17);
}

TEST_CASE("v is copied where its rows are no whole vectors of 16 bytes") {
    const auto copies = [](Dtype dtype, std::int64_t head_dim_v) {
        Problem problem = readable({1, 9, 9, 1, 1, 16, head_dim_v}, {4, 1});
        problem.dtype = dtype;
        return make_plan(problem).copy_v;
    };
    CHECK_FALSE(copies(Dtype::bf16, 16));
    CHECK_FALSE(copies(Dtype::f16, 8));
    CHECK(copies(Dtype::bf16, 4));
    CHECK(copies(Dtype::bf16, 1));
    CHECK_FALSE(copies(Dtype::f64, 2));
    CHECK(copies(Dtype::f64, 3));
}
