// Inverse frequencies and mscale of every rope_scaling against published figures.
#include <cmath>

#include "reference/oracle/frequencies.hpp"
#include "reference/oracle/scalar.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

/// The published figures come from double arithmetic: a pow, a quotient and a mix of two terms, at most 4 roundings of
/// 2^-53 each and an error of one unit in pow. Ours is correctly rounded.
constexpr double published_error = 6 * 0x1p-53;

bool agrees(double got, double published) {
    return std::abs(got - published) <= published_error * std::abs(published);
}

Problem rotary_problem(std::int64_t rd, double base, RopeScaling scaling, std::optional<double> factor,
                       std::optional<double> original) {
    Problem p;
    p.shape.head_dim = rd;
    p.rope.base = base;
    p.rope.scaling = scaling;
    p.rope.factor = factor;
    p.rope.original_max_position = original;
    validate(p);
    return p;
}

TEST_CASE("none: powers of the base, correctly rounded") {
    const Problem p = rotary_problem(8, 10000, RopeScaling::none, {}, {});
    CHECK(inverse_frequencies(p, 1) == std::vector<double>{1, 0.1, 0.01, 0.001});
    CHECK(inverse_frequencies(rotary_problem(4, 16, RopeScaling::none, {}, {}), 1) == std::vector<double>{1, 0.25});
}

TEST_CASE("partial rotary: the exponent follows rotary_dim, not head_dim") {
    Problem p = rotary_problem(20, 10000, RopeScaling::none, {}, {});
    p.rope.rotary_dim = 8;
    CHECK(inverse_frequencies(p, 1) == std::vector<double>{1, 0.1, 0.01, 0.001});
    p.rope.layout = RopeLayout::none;
    CHECK(inverse_frequencies(p, 1).empty());
}

TEST_CASE("linear divides, and given frequencies replace everything but mscale") {
    Problem p = rotary_problem(8, 10000, RopeScaling::linear, 4, {});
    CHECK(inverse_frequencies(p, 1) == std::vector<double>{0.25, 0.025, 0.0025, 0.00025});
    p.rope.scaling = RopeScaling::yarn;
    p.rope.inv_freq = {1, 2, 3, 4};
    CHECK(inverse_frequencies(p, 1) == p.rope.inv_freq);
    CHECK(agrees(mscale(p.rope), 0.1 * std::log(4.0) + 1));
}

struct BaseRow {
    RopeScaling scaling;
    double factor;
    std::optional<double> original;
    std::int64_t keys;
    double base;
};

TEST_CASE("ntk and dynamic enlarge the base") {
    const BaseRow rows[] = {
        {RopeScaling::ntk, 2, {}, 1, 20221.261689737912},
        {RopeScaling::ntk, 4, {}, 1, 40889.94243248622},
        {RopeScaling::dynamic, 2, 4096, 8192, 30527.7367488067},
        {RopeScaling::dynamic, 4, 4096, 16384, 135401.97304176545},
        {RopeScaling::dynamic, 4, 4096, 100, 10000},  // no longer than the original: unchanged
        {RopeScaling::dynamic, 4, 4096, 4096, 10000},
    };
    for (const BaseRow& row : rows) {
        CAPTURE(row.factor, row.keys, row.base);
        const auto inv_freq =
            inverse_frequencies(rotary_problem(128, 10000, row.scaling, row.factor, row.original), row.keys);
        REQUIRE(inv_freq.size() == 64);
        CHECK(inv_freq[0] == 1);
        CHECK(agrees(1 / (inv_freq[32] * inv_freq[32]), row.base));  // base^(-1/2)
    }
}

struct YarnRow {
    std::int64_t rd;
    double base, factor, original;
    std::int64_t low, high;  ///< first interpolated pair is low + 1, first fully interpolated one is high
    std::int64_t k;
    double inv_freq;
};

TEST_CASE("yarn") {
    const YarnRow rows[] = {
        {64, 1e4, 40, 4096, 10, 23, 16, 0.0055},
        {64, 1e4, 40, 4096, 10, 23, 31, 3.3338035804083097e-06},
        {128, 1e6, 4, 32768, 23, 40, 31, 8.029597275452302e-04},
        {128, 1e4, 4, 4096, 20, 46, 33, 0.005412277021000409},
        {128, 1e4, 4, 4096, 20, 46, 63, 2.8869549617236455e-05},
        {128, 1e7, 4, 262144, 28, 43, 35, 9.655802111623038e-05},
        {128, 1e7, 4, 262144, 28, 43, 63, 3.2159923623424366e-08},
        {128, 1e4, 8, 65536, 40, 65, 0, 1},
        {64, 1.5e5, 32, 4096, 8, 18, 13, 0.004069554714758243},
    };
    for (const YarnRow& row : rows) {
        CAPTURE(row.rd, row.base, row.factor, row.original, row.k);
        const Problem plain = rotary_problem(row.rd, row.base, RopeScaling::none, {}, {});
        const auto theta = inverse_frequencies(plain, 1);
        const auto inv_freq =
            inverse_frequencies(rotary_problem(row.rd, row.base, RopeScaling::yarn, row.factor, row.original), 1);
        CHECK(agrees(inv_freq[static_cast<std::size_t>(row.k)], row.inv_freq));
        for (std::size_t k = 0; k < inv_freq.size(); ++k) {
            CAPTURE(k);
            const auto pair = static_cast<std::int64_t>(k);
            CHECK((inv_freq[k] == theta[k]) == (pair <= row.low));
            CHECK(agrees(inv_freq[k], theta[k] / row.factor) == (pair >= row.high));
        }
    }
}

TEST_CASE("yarn with both ends in one place is a step") {
    // Both ends fall below pair 0, so low = high = 0: pair 0 stays, every other is interpolated.
    const auto theta = inverse_frequencies(rotary_problem(8, 1e4, RopeScaling::none, {}, {}), 1);
    const auto inv_freq = inverse_frequencies(rotary_problem(8, 1e4, RopeScaling::yarn, 4, 2), 1);
    CHECK(inv_freq[0] == theta[0]);
    for (std::size_t k = 1; k < 4; ++k) CHECK(agrees(inv_freq[k], theta[k] / 4));
}

TEST_CASE("llama3") {
    const auto theta = inverse_frequencies(rotary_problem(128, 5e5, RopeScaling::none, {}, {}), 1);
    const auto inv_freq = inverse_frequencies(rotary_problem(128, 5e5, RopeScaling::llama3, 8, {}), 1);
    CHECK(agrees(inv_freq[32], 0.0005248461609929547));
    for (std::size_t k = 0; k < 64; ++k) {
        CAPTURE(k);
        CHECK((inv_freq[k] == theta[k]) == (k < 29));
        CHECK((inv_freq[k] == theta[k] / 8) == (k >= 35));  // dividing by 8 is exact
    }
}

TEST_CASE("mscale") {
    RopeConfig rope;
    CHECK(mscale(rope) == 1);
    rope.scaling = RopeScaling::linear;
    rope.factor = 4;
    CHECK(mscale(rope) == 1);
    rope.scaling = RopeScaling::yarn;
    CHECK(agrees(mscale(rope), 1.138629436111989));
    rope.factor = 40;
    CHECK(agrees(mscale(rope), 1.3688879454113936));
    rope.factor = 0.5;
    CHECK(mscale(rope) == 1);
    rope.mscale = 1.5;
    CHECK(mscale(rope) == 1.5);
}

}  // namespace
}  // namespace dca::oracle
