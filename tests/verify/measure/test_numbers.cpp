#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/verify/measure/planted.hpp"
#include "verify/measure/combination.hpp"
#include "verify/measure/order_statistics.hpp"
#include "verify/measure/replicas.hpp"

using namespace dca::measure;

TEST_CASE("logarithm, exponential and power are those of the C library to a few ulp") {
    const double ulp = std::ldexp(1.0, -52);
    for (double x = 1e-12; x < 1e12; x *= 1.37) {
        INFO("x = " << x);
        // The sum of exponent * ln 2 and a series rounds thrice.
        CHECK(std::abs(log_of(x) - std::log(x)) <= 4 * ulp * std::max(1.0, std::abs(std::log(x))));
    }
    for (double x = -300; x < 300; x += 0.61) {
        INFO("x = " << x);
        // The argument is rounded to ulp(x) before: relative error |x| ulp, and the polynomial's.
        CHECK(std::abs(exp_of(x) / std::exp(x) - 1) <= 4 * ulp + std::abs(x) * ulp / 4);
    }
    CHECK(log_of(1) == 0);
    CHECK(exp_of(0) == 1);
    // exp of a rounded logarithm: a few ulp each, as above.
    CHECK(power_of(4, 0.5) == Approx(2).epsilon(1e-14));
    CHECK_THROWS(log_of(0));
    CHECK_THROWS(log_of(NAN));
    CHECK_THROWS(exp_of(NAN));
}

TEST_CASE("draws have the moments of their laws and are a function of stream and replicate") {
    constexpr int count = 20000;
    Draws draws(3, 5), again(3, 5), other(3, 6);
    CHECK(draws.uniform() == again.uniform());
    CHECK(draws.uniform() != other.uniform());
    double uniform = 0, normal = 0, square = 0, chi = 0;
    std::vector<int> hits(3, 0);
    for (int i = 0; i < count; ++i) {
        uniform += draws.uniform() / count;
        const double z = draws.normal();
        normal += z / count;
        square += z * z / count;
        chi += draws.chi_square(3) / count;
        ++hits[draws.below(3)];
    }
    // Four standard deviations of each mean.
    const double root = 4 / std::sqrt(static_cast<double>(count));
    CHECK(std::abs(uniform - 0.5) <= root * std::sqrt(1.0 / 12));
    CHECK(std::abs(normal) <= root);
    CHECK(std::abs(square - 1) <= root * std::sqrt(2.0));
    CHECK(std::abs(chi - 3) <= root * std::sqrt(6.0));
    for (const int hit : hits) CHECK(std::abs(hit / double(count) - 1.0 / 3) <= root * std::sqrt(2.0 / 9));
}

TEST_CASE("a combination of columns finds exact coefficients and leaves out what would be negative") {
    const Column one = {1, 1, 1, 1, 1}, x = {1, 2, 4, 8, 16}, square = {1, 4, 16, 64, 256};
    Column y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(3 + 0.5 * x[i]);
    const Combination fit = combine({one, x, square}, y);
    // The normal equations of these columns have condition 1.4e4; times 2^-53 that is 1.6e-12, for a dozen roundings.
    CHECK(fit.coefficients[0] == Approx(3).epsilon(2e-11));
    CHECK(fit.coefficients[1] == Approx(0.5).epsilon(2e-11));
    CHECK(std::abs(fit.coefficients[2]) <= 2e-11);
    CHECK(fit.deviance <= 1e-20);
    // y falls short of its first values' law: the square would be negative.
    Column bent = {1, 2, 3.9, 7.6, 14.4};
    const Combination held = combine({x, square}, bent);
    CHECK(held.coefficients[1] == 0);
    CHECK(held.positive() == 1);
    // Dependent columns: one of them takes all.
    CHECK(combine({x, x}, x).deviance <= 1e-20);
    CHECK_THROWS(combine({}, y));
}

TEST_CASE("the information score prefers fewer parameters for exact data and a better fit otherwise") {
    CHECK(information_score(0, 6, 2) < information_score(0, 6, 3));
    CHECK(information_score(1e-20, 6, 2) < information_score(0, 6, 3));
    CHECK(information_score(0.1, 6, 3) < information_score(1, 6, 2));
}

TEST_CASE("medians") {
    CHECK(median({3, 1, 2}) == 2);
    CHECK(median({4, 1, 2, 3}) == 2.5);
    CHECK(median({5}) == 5);
    CHECK_THROWS(median({}));
}

TEST_CASE("the interval of a median has the ranks of the binomial") {
    // P(Bin(k, 1/2) = 0) = 1/32 for 5, P(Bin(8, 1/2) <= 1) = 9/256 = 0.035, P(Bin(8, 1/2) <= 2) = 37/256.
    CHECK(least_repeats(0.05) == 5);
    CHECK(least_repeats(0.025) == 6);
    CHECK(!median_interval({1, 2, 3, 4}, 0.05));
    const auto five = median_interval({5, 4, 3, 2, 1}, 0.05);
    REQUIRE(five);
    CHECK(five->low == 1);
    CHECK(five->value == 3);
    CHECK(five->high == 5);
    const auto eight = median_interval({8, 7, 6, 5, 4, 3, 2, 1}, 0.05);
    REQUIRE(eight);
    CHECK(eight->low == 2);
    CHECK(eight->high == 7);
}

TEST_CASE("the interval of a median misses it as often as it says, whatever the law of the noise") {
    // A skewed law: the square of a normal number has median 0.4549.
    constexpr int trials = 2000;
    int below = 0, above = 0;
    Draws draws(77, 0);
    for (int t = 0; t < trials; ++t) {
        std::vector<double> values;
        for (int i = 0; i < 9; ++i) values.push_back(draws.chi_square(1));
        const auto interval = median_interval(values, 0.05);
        REQUIRE(interval);
        below += interval->high < 0.454936;
        above += interval->low > 0.454936;
    }
    CHECK(below <= planted::allowed(trials, 0.05));
    CHECK(above <= planted::allowed(trials, 0.05));
}
