// Forward cases small enough to work out on paper: one pair, one key, equal weights, rows without keys, one typed
// table.
#include <algorithm>
#include <cmath>

#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

/// One or two rounded double operations on values of size at most 64 on the side of the test; the oracle runs in Quad.
constexpr double tolerance = 4 * 64 * 0x1p-53;

bool close(Quad got, double expected) {
    return fabsq(got - expected) <= tolerance;
}

/// The logit of a query at index i and the key at index 0, times 1: a row with one key has lse = logit.
Quad single_logit(Problem p, std::int64_t i, std::vector<double> q, std::vector<double> k) {
    p.shape.head_dim = static_cast<std::int64_t>(q.size());
    p.query_offset = i;
    if (!p.softmax_scale) p.softmax_scale = 1;
    Inputs inputs{Tensor4(q_extents(p.shape)), Tensor4(k_extents(p.shape)), Tensor4(v_extents(p.shape)), {}};
    std::copy(q.begin(), q.end(), inputs.q.values().begin());
    std::copy(k.begin(), k.end(), inputs.k.values().begin());
    return forward<Quad>(p, inputs).lse(0, 0, 0);
}

std::vector<double> unit(std::size_t size, std::size_t at) {
    std::vector<double> vector(size);
    vector[at] = 1;
    return vector;
}

TEST_CASE("one pair at distance 0: mscale squared on rotary dims, softmax_scale on all") {
    Problem p;
    p.chunk = {6, 2};
    p.rope.rotary_dim = 2;
    p.rope.mscale = 2;
    p.softmax_scale = 0.5;
    CHECK(close(single_logit(p, 0, {1, 2, 3}, {4, 5, 6}), 0.5 * (4 * (1 * 4 + 2 * 5) + 3 * 6)));
    p.rope.layout = RopeLayout::none;
    p.rope.rotary_dim.reset();
    CHECK(close(single_logit(p, 0, {1, 2, 3}, {4, 5, 6}), 0.5 * (1 * 4 + 2 * 5 + 3 * 6)));
    p.softmax_scale.reset();
    p.shape.head_dim = 4;
    CHECK(p.resolved_softmax_scale() == 0.5);
}

TEST_CASE("which dims turn into which, and the sense of the rotation") {
    // Def.4: (a, b) -> (a cos - b sin, b cos + a sin). A query e_a at distance M from a key e_b: cos on the diagonal, +
    // sin where the query has the first and the key the second dim of a pair, - sin the other way round.
    Problem p;
    p.chunk = {6, 2};
    p.rope.inv_freq = {0.5, 0.125};
    for (RopeLayout layout : {RopeLayout::neox, RopeLayout::interleaved}) {
        p.rope.layout = layout;
        const bool neox = layout == RopeLayout::neox;
        const std::size_t first[] = {0, neox ? 1u : 2u}, second[] = {neox ? 2u : 1u, 3};
        for (std::int64_t i : {0, 3, 5, 7, 100}) {
            const double M = static_cast<double>(std::min<std::int64_t>(i, 6));
            for (std::size_t a = 0; a < 4; ++a) {
                for (std::size_t b = 0; b < 4; ++b) {
                    CAPTURE(neox, i, a, b);
                    double expected = 0;
                    for (std::size_t k = 0; k < 2; ++k) {
                        const double angle = M * p.rope.inv_freq[k];
                        if (a == b && (a == first[k] || a == second[k])) expected = std::cos(angle);
                        if (a == first[k] && b == second[k]) expected = std::sin(angle);
                        if (a == second[k] && b == first[k]) expected = -std::sin(angle);
                    }
                    CHECK(close(single_logit(p, i, unit(4, a), unit(4, b)), expected));
                }
            }
        }
    }
}

TEST_CASE("a distance of 2^31 - 1 loses nothing") {
    // cos(M f) by adding angles: M = 2^16 a + b, and a f, b f are small enough to be exact in Quad and then in sincosq.
    Problem p;
    p.chunk = {max_position, 0};
    p.rope.inv_freq = {0.1};
    const std::int64_t M = max_position - 1;
    const Quad high = Quad(M - M % 65536) * Quad(0.1), low = Quad(M % 65536) * Quad(0.1);
    const Quad expected = cosq(high) * cosq(low) - sinq(high) * sinq(low);
    // Three roundings and three function values of size at most 1: under 16 units of 2^-113.
    CHECK(fabsq(single_logit(p, M, {1, 0}, {1, 0}) - expected) <= 16 * 0x1p-113);
    // The same in a double angle would be off by up to 2^31 * 0.1 * 2^-53 = 2^-25: the check can tell.
    CHECK(fabsq(Quad(std::cos(static_cast<double>(M) * 0.1)) - expected) > 0x1p-40);
}

TEST_CASE("weights of code(6, 2) from distances typed by hand") {
    // q = k = (2, 0) and v_j = e_j, so that out is the row of probabilities and the logits are 4 cos(M f).
    const std::vector<std::vector<double>> distances{{0},
                                                     {1, 0},
                                                     {2, 1, 0},
                                                     {3, 2, 1, 0},
                                                     {4, 3, 2, 1, 0},
                                                     {5, 4, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 4, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 5, 4, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 6, 5, 4, 3, 2, 1, 0},
                                                     {6, 5, 4, 3, 6, 5, 4, 3, 3, 2, 1, 0}};
    const std::int64_t n = 12;
    Problem p;
    p.shape = {.seq_q = n, .seq_k = n, .head_dim = 2, .head_dim_v = n};
    p.chunk = {6, 2};
    p.rope.inv_freq = {0.3};
    p.softmax_scale = 1;
    Inputs inputs{Tensor4(q_extents(p.shape)), Tensor4(k_extents(p.shape)), Tensor4(v_extents(p.shape)), {}};
    for (std::int64_t j = 0; j < n; ++j) inputs.q(0, j, 0, 0) = inputs.k(0, j, 0, 0) = 2;
    for (std::int64_t j = 0; j < n; ++j) inputs.v(0, j, 0, j) = 1;
    const auto result = forward<Quad>(p, inputs);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto& row = distances[static_cast<std::size_t>(i)];
        double total = 0;
        for (double M : row) total += std::exp(4 * std::cos(M * 0.3));
        CHECK(close(result.lse(0, 0, i), std::log(total)));
        for (std::int64_t j = 0; j < n; ++j) {
            CAPTURE(i, j);
            const double expected = j <= i ? std::exp(4 * std::cos(row[static_cast<std::size_t>(j)] * 0.3)) / total : 0;
            CHECK(close(result.out(0, i, 0, j), expected));
        }
    }
}

TEST_CASE("q = 0: out is the mean of the values seen, lse the logarithm of their number") {
    Problem p = feature_problems().front().problem;
    Inputs inputs = random_inputs(p, 1);
    for (double& value : inputs.q.values()) value = 0;
    const auto result = forward<Quad>(p, inputs);
    for (std::int64_t i = 0; i < p.shape.seq_q; ++i) {
        double sum = 0;
        for (std::int64_t j = 0; j <= i; ++j) sum += inputs.v(0, j, 0, 1);
        CHECK(close(result.out(0, i, 0, 1), sum / static_cast<double>(i + 1)));
        CHECK(close(result.lse(0, 0, i), std::log(static_cast<double>(i + 1))));
    }
}

TEST_CASE("a row without keys: out 0, lse -inf, no gradient from it") {
    Problem p = feature_problems().front().problem;
    p.query_offset = -4;
    const Inputs inputs = random_inputs(p, 2);
    const auto result = forward<Quad>(p, inputs);
    const auto gradients = backward<Quad>(p, inputs);
    for (std::int64_t i = 0; i < 4; ++i) {
        CHECK(result.lse(0, 0, i) == -Quad(std::numeric_limits<double>::infinity()));
        for (std::int64_t c = 0; c < 4; ++c) CHECK(result.out(0, i, 0, c) == 0);
        for (std::int64_t c = 0; c < 4; ++c) CHECK(gradients.dq(0, i, 0, c) == 0);
    }
    CHECK(result.out(0, 4, 0, 0) == Quad(inputs.v(0, 0, 0, 0)));  // the first row with a key has just one
    Tensor4 q = inputs.q, dout = *inputs.dout;
    for (std::int64_t i = 0; i < 4; ++i) dout(0, i, 0, 0) = q(0, i, 0, 0) = 9;
    const auto others = backward<Quad>(p, Inputs{q, inputs.k, inputs.v, dout});
    CHECK(others.dk == gradients.dk);
    CHECK(others.dv == gradients.dv);
}

}  // namespace
}  // namespace dca::oracle
