// Angles formed in float32 against the same steps in binary128 rounded to float32.
#include <quadmath.h>

#include <cmath>
#include <random>

#include "reference/math/float32_angles.hpp"
#include "reference/math/natural_log.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

TEST_CASE("sin_cos is within 2^-50 of binary128 for angles up to 2^33") {
    std::mt19937_64 random(7);
    double worst = 0;
    for (int n = 0; n < 20000; ++n) {
        const double size = std::ldexp(1.0, static_cast<int>(random() % 64) - 30);
        const double angle = size * (static_cast<double>(random() >> 11) * 0x1p-53) * (random() % 2 ? 1 : -1);
        double sin = 0, cos = 0;
        __float128 exact_sin, exact_cos;
        reference::sin_cos(angle, sin, cos);
        sincosq(angle, &exact_sin, &exact_cos);
        worst =
            std::max({worst, static_cast<double>(fabsq(sin - exact_sin)), static_cast<double>(fabsq(cos - exact_cos))});
    }
    CHECK(worst <= 0x1p-50);
    CHECK(worst > 0);
}

TEST_CASE("natural_log is within 2^-52 (1 + |ln x|) of binary128") {
    std::mt19937_64 random(8);
    double worst = 0;
    for (int n = 0; n < 20000; ++n) {
        const double x =
            std::ldexp(1 + static_cast<double>(random() >> 12) * 0x1p-52, static_cast<int>(random() % 80) - 40);
        const __float128 exact = logq(x);
        worst = std::max(worst, static_cast<double>(fabsq(reference::natural_log(x) - exact) / (1 + fabsq(exact))));
    }
    CHECK(reference::natural_log(1) == 0);
    CHECK(worst <= 0x1p-52);
    CHECK(worst > 0);
}

TEST_CASE("float32 angles: inv_freq, product, cos and sin are float32 each") {
    Problem problem = test::plain_problem(8, {6, 2}, 1, 1, 128);
    problem.dialect = "chunkllama";
    const std::vector<double> exact = reference::inv_freq(problem, 8);
    const reference::Float32Angles table(AngleArithmetic::float32, problem.rope, exact);
    REQUIRE(table.pairs() == 64);
    std::vector<float> cos_sin(128);
    int different_angles = 0;
    for (std::int64_t position : {0, 1, 5, 3071, 8192, 262144}) {
        table.angles(static_cast<double>(position), cos_sin.data());
        for (std::size_t k = 0; k < 64; ++k) {
            const float power = static_cast<float>(powq(10000, static_cast<float>(2 * k) / 128.0F));
            const float angle = static_cast<float>(position) * (1.0F / power);
            different_angles += static_cast<double>(angle) != static_cast<double>(position) * exact[k];
            CAPTURE(position, k);
            CHECK(cos_sin[2 * k] == static_cast<float>(cosq(angle)));
            CHECK(cos_sin[2 * k + 1] == static_cast<float>(sinq(angle)));
        }
    }
    CHECK(different_angles > 200);  // else the test would not tell float32 from double
}

TEST_CASE("float32 angles of Qwen2.5-1M are off by up to 9e-3 rad (H13)") {
    Problem problem = test::plain_problem(8, {262144, 8192}, 1, 1, 128);
    problem.rope.base = 1e7;
    const std::vector<double> exact = reference::inv_freq(problem, 8);
    double worst = 0;
    // The largest error is the product's or inv_freq's half ulp at the largest position.
    for (std::int64_t position = 262144 - 2000; position <= 262144; ++position) {
        for (std::size_t k = 0; k < 64; ++k) {
            const float power = static_cast<float>(powq(problem.rope.base, static_cast<float>(2 * k) / 128.0F));
            const float angle = static_cast<float>(position) * (1.0F / power);
            worst = std::max(worst, std::abs(static_cast<double>(angle) - static_cast<double>(position) * exact[k]));
        }
    }
    // An angle in [2^17, 2^18) is rounded by up to 2^-7 = 7.8e-3; inv_freq adds the product of its own error and the
    // position.
    CHECK(worst > 7.8e-3);
    CHECK(worst < 1.6e-2);
}

TEST_CASE("llama.cpp's chain multiplies angle by angle, and rope_scaling linear the finished ones") {
    Problem problem = test::plain_problem(8, {6, 2}, 1, 1, 8);
    problem.dialect = "llama_cpp_dca";
    problem.rope.scaling = RopeScaling::linear;
    problem.rope.factor = 3;
    const reference::Float32Angles table(AngleArithmetic::float32_chain, problem.rope, reference::inv_freq(problem, 8));
    std::vector<float> cos_sin(8);
    table.angles(1234, cos_sin.data());
    const float ratio = static_cast<float>(powq(10000, -2.0F / 8.0F));
    float angle = 1234;
    for (std::size_t k = 0; k < 4; ++k, angle *= ratio) {
        CHECK(cos_sin[2 * k] == static_cast<float>(cosq((1.0F / 3.0F) * angle)));
        CHECK(cos_sin[2 * k + 1] == static_cast<float>(sinq((1.0F / 3.0F) * angle)));
    }
}
