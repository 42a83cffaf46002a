// Rotary tables against binary128, the frequencies against the oracle's, and the transpose against its definition
// (P18).
#include "reference/math/rope.hpp"

#include <quadmath.h>

#include <array>
#include <cmath>
#include <numeric>

#include "reference/math/rope_frequencies.hpp"
#include "reference/oracle/frequencies.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using reference::RotaryTable;

TEST_CASE("angles are within 0.51 ulp of one at any position up to 2^31") {
    const std::vector<double> inv_freq{1.0, 0.7310585786300049, 1e-3, 3.2159923623424366e-08};
    const std::int64_t largest[] = {0, 1, 15, 16, 100, 4095, 262144, std::int64_t{1} << 31};
    for (std::int64_t max_position : largest) {
        const RotaryTable table(inv_freq, 1.0, RopeLayout::neox, max_position);
        for (std::int64_t position : {std::int64_t{0}, max_position / 3, max_position / 2, max_position}) {
            CAPTURE(max_position, position);
            std::vector<double> angles(table.angles_size());
            table.angles(RotaryPosition(position), angles.data());
            double worst = 0;
            for (std::size_t k = 0; k < inv_freq.size(); ++k) {
                __float128 sin, cos;
                sincosq(static_cast<__float128>(position) * inv_freq[k], &sin, &cos);
                worst = std::max({worst, static_cast<double>(fabsq(angles[2 * k] - cos)),
                                  static_cast<double>(fabsq(angles[2 * k + 1] - sin))});
            }
            // Values up to 1: half an ulp of a double just below 1 is 2^-54; 2^-61 comes from the table product.
            CHECK(worst <= 0x1p-54 + 0x1p-61);
        }
    }
}

TEST_CASE("frequencies and mscale have the oracle's bits for every scaling") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        for (std::int64_t keys : {1, 50, 5000}) {
            CHECK(reference::inv_freq(problem, keys) == oracle::inverse_frequencies(problem, keys));
        }
        CHECK(reference::mscale(problem.rope) == oracle::mscale(problem.rope));
    }
}

TEST_CASE("frequencies have the oracle's bits for the scalings models are served with") {
    // rotary_dim, base, factor, original length; the fourth reaches past rotary_dim / 2, the last is below one turn.
    const std::array<double, 4> settings[] = {{64, 1e4, 40, 4096},     {128, 1e6, 4, 32768},  {128, 1e7, 4, 262144},
                                              {128, 1e4, 8, 65536},    {64, 1.5e5, 32, 4096}, {128, 5e5, 8, 8192},
                                              {128, 1e4, 16, 1000000}, {32, 1e4, 2, 6}};
    for (const auto& [rotary_dim, base, factor, original] : settings) {
        for (RopeScaling scaling :
             {RopeScaling::linear, RopeScaling::ntk, RopeScaling::dynamic, RopeScaling::yarn, RopeScaling::llama3}) {
            CAPTURE(rotary_dim, base, factor, original, name(scaling));
            Problem problem = test::plain_problem(4, {4, 0}, 1, 1, static_cast<std::int64_t>(rotary_dim));
            problem.rope.base = base;
            problem.rope.scaling = scaling;
            problem.rope.factor = factor;
            problem.rope.original_max_position = original;
            for (std::int64_t keys : {100, 1000000}) {
                CHECK(reference::inv_freq(problem, keys) == oracle::inverse_frequencies(problem, keys));
            }
        }
    }
}

TEST_CASE("rotation: pairs by layout, mscale on rotary dims only, transpose") {
    for (RopeLayout layout : {RopeLayout::neox, RopeLayout::interleaved}) {
        const RotaryTable table({0.5, 0.25}, 2.0, layout, 10);
        std::vector<double> angles(table.angles_size());
        table.angles(RotaryPosition(3), angles.data());
        const double x[] = {1, 2, 3, 4, 5};
        double y[5];
        table.rotate(angles.data(), x, y, 5);
        const bool interleaved = layout == RopeLayout::interleaved;
        const double a = x[0], b = interleaved ? x[1] : x[2];
        // Two products of numbers up to 8 and one sum: three roundings of at most 2^-53 * 16.
        const double bound = 3 * 0x1p-53 * 16;
        CHECK(std::abs(y[0] - 2 * (a * std::cos(1.5) - b * std::sin(1.5))) <= bound);
        CHECK(std::abs(y[interleaved ? 1 : 2] - 2 * (b * std::cos(1.5) + a * std::sin(1.5))) <= bound);
        CHECK(y[4] == 5.0);

        // <R x, z> = <x, R^T z>
        const double z[] = {0.3, -1, 0.7, 2, -0.2};
        double back[5] = {};
        table.add_transposed(angles.data(), z, back, 5);
        const double left = std::inner_product(y, y + 5, z, 0.0), right = std::inner_product(x, x + 5, back, 0.0);
        CHECK(std::abs(left - right) <= 10 * 0x1p-53 * 64);
    }
}
