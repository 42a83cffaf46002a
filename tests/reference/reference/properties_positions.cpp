// P1-P5, P10, P12, P19, P20: what the position maps imply for results. Each statement is exact in real arithmetic, so
// the two sides differ only by the reference's own error, twice its stated agreement.
#include "reference/forward.hpp"
#include "reference/math/chunk_positions.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

constexpr double both_sides = 2 * test::reference_agreement;

constexpr ChunkConfig one_chunk{1 << 20, 0};

Outputs run(std::int64_t n, ChunkConfig chunk, std::uint64_t seed) {
    const Problem problem = test::plain_problem(n, chunk);
    return reference::forward(problem, test::random_inputs(problem, seed));
}

std::int64_t relative(ChunkConfig chunk, std::int64_t i, std::int64_t j) {
    const Mode mode = *reference::pair_mode(chunk, QueryIndex(i), KeyIndex(j));
    const reference::PositionMap map(test::plain_problem(1, chunk));
    return static_cast<std::int64_t>(map.query(QueryIndex(i), mode) - map.key(KeyIndex(j)));
}

}  // namespace

TEST_CASE("P1 P2: up to min(2L, C + 1) tokens it is plain causal RoPE attention, and one more it is not") {
    for (const ChunkConfig chunk : {ChunkConfig{6, 2}, {9, 4}, {5, 3}, {12, 1}, {7, 0}, {2, 1}}) {
        const std::int64_t limit = std::min(2 * chunk.chunk_len(), chunk.chunk_size + 1);
        for (std::int64_t n = 1; n <= limit; ++n) {
            CAPTURE(chunk.chunk_size, chunk.local_size, n);
            CHECK(test::relative_l2(run(n, chunk, 5).out, run(n, one_chunk, 5).out) <= both_sides);
        }
        // A position that is off by one changes logits by order one: far above any rounding.
        CHECK(test::relative_l2(run(limit + 1, chunk, 5).out, run(limit + 1, one_chunk, 5).out) >= 1e-6);
    }
}

TEST_CASE("P3: with C >= 2L - 1 the result depends on the stride alone") {
    for (std::int64_t chunk_len : {1, 2, 5, 8}) {
        const ChunkConfig smallest{2 * chunk_len - 1 + (chunk_len == 0), chunk_len - 1};
        for (std::int64_t extra : {1, 4, 100}) {
            const ChunkConfig larger{smallest.chunk_size + extra, smallest.local_size + extra};
            CAPTURE(chunk_len, extra);
            CHECK(run(41, smallest, 9).out == run(41, larger, 9).out);
        }
    }
}

TEST_CASE("P4 P5: relative positions are bounded and exact within the window") {
    for (std::int64_t chunk_size = 1; chunk_size <= 14; ++chunk_size) {
        for (std::int64_t local_size = 0; local_size < chunk_size; ++local_size) {
            const ChunkConfig chunk{chunk_size, local_size};
            const std::int64_t len = chunk.chunk_len();
            CAPTURE(chunk_size, local_size);
            bool bounded = true, window = true, periodic = true;
            for (std::int64_t i = 0; i < 5 * chunk_size; ++i) {
                for (std::int64_t j = 0; j <= i; ++j) {
                    const std::int64_t m = relative(chunk, i, j);
                    bounded = bounded && m >= 0 && m <= std::min(chunk_size, 2 * len - 1);
                    if (i - j <= std::min(local_size + 1, len)) window = window && m == i - j;
                    periodic = periodic && relative(chunk, i + len, j + len) == m;
                }
            }
            CHECK(bounded);
            CHECK(window);
            CHECK(periodic);
        }
    }
}

TEST_CASE("P10: only differences of positions matter") {
    // Turning every q and k by one more common angle adds a constant to all of P_k, P_intra, P_succ and P_inter.
    Problem problem = test::plain_problem(40, {11, 3});
    Inputs inputs = test::random_inputs(problem, 12);
    const Outputs before = reference::forward(problem, inputs);
    const std::int64_t half = problem.shape.head_dim / 2;
    for (Tensor4* tensor : {&inputs.q, &inputs.k}) {
        for (std::size_t row = 0; row < tensor->values().size(); row += static_cast<std::size_t>(2 * half)) {
            for (std::int64_t k = 0; k < half; ++k) {
                double& a = tensor->values()[row + static_cast<std::size_t>(k)];
                double& b = tensor->values()[row + static_cast<std::size_t>(k + half)];
                const double angle = 17 * std::pow(1e4, -static_cast<double>(k) / static_cast<double>(half));
                const double turned = a * std::cos(angle) - b * std::sin(angle);
                b = b * std::cos(angle) + a * std::sin(angle);
                a = turned;
            }
        }
    }
    CHECK(test::relative_l2(reference::forward(problem, inputs).out, before.out) <= both_sides);
}

TEST_CASE("P12: without rotation the chunks disappear") {
    for (const ChunkConfig chunk : {ChunkConfig{6, 2}, {3, 0}, {9, 8}}) {
        Problem problem = test::plain_problem(33, chunk);
        const Inputs inputs = test::random_inputs(problem, 8);
        Problem nope = problem;
        nope.rope.layout = RopeLayout::none;
        nope.chunk = one_chunk;
        problem.rope.inv_freq.assign(4, 0.0);
        CHECK(test::relative_l2(reference::forward(problem, inputs).out, reference::forward(nope, inputs).out) <=
              both_sides);
    }
}

TEST_CASE(
    "P19: w >= L leaves the successor exact and the inter position at 2L - 1, w = 0 makes the successor constant") {
    for (std::int64_t len : {1, 3, 6}) {
        const reference::PositionMap wide(test::plain_problem(1, {2 * len + 2, len + 2}));
        const reference::PositionMap narrow(test::plain_problem(1, {len, 0}));
        for (std::int64_t i = len; i < 4 * len; ++i) {
            CAPTURE(len, i);
            CHECK(wide.query(QueryIndex(i), Mode::succ) == static_cast<double>(i % len + len));
            CHECK(wide.query(QueryIndex(i), Mode::inter) == static_cast<double>(2 * len - 1));
            CHECK(narrow.query(QueryIndex(i), Mode::succ) == static_cast<double>(len));
        }
    }
}

TEST_CASE("P20: with stride 1 every key but the own one is at distance 1") {
    const ChunkConfig chunk{2, 1};
    for (std::int64_t i = 0; i < 9; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) CHECK(relative(chunk, i, j) == (i == j ? 0 : 1));
    }
}
