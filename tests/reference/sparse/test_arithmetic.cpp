// exp, the inner product and the logarithm of reference/sparse against binary128.
#include "reference/sparse/arithmetic.hpp"

#include <limits>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

using namespace dca;

TEST_CASE("exp of what is not positive has a relative error below 3 * 2^-53") {
    std::mt19937_64 engine(1);
    double worst = 0;
    for (int n = 0; n < 100000; ++n) {
        const double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
        const double x = -std::pow(2.0, -30 + 39.46 * unit);  // to -708: the result is a normal number
        const __float128 exact = expq(x);
        const double error = static_cast<double>(fabsq((sparse::exp_nonpositive(x) - exact) / exact));
        worst = std::max(worst, error);
    }
    CAPTURE(worst);
    CHECK(worst <= 3 * 0x1p-53);
    CHECK(worst > 0);
    CHECK(sparse::exp_nonpositive(0) == 1);
    CHECK(sparse::exp_nonpositive(-std::numeric_limits<double>::infinity()) == 0);
    CHECK(std::isnan(sparse::exp_nonpositive(std::nan(""))));
    // Half a unit of the last place of the smallest numbers, twice over for two roundings.
    for (double x = -745; x < -708; x += 0.37) {
        CHECK(std::abs(sparse::exp_nonpositive(x) - static_cast<double>(expq(x))) <=
              0x1p-1074 + 3 * 0x1p-53 * static_cast<double>(expq(x)));
    }
}

TEST_CASE("the inner product of small integers is exact for every length") {
    for (std::int64_t size = 0; size <= 40; ++size) {
        std::vector<double> a, b;
        double expected = 0;
        for (std::int64_t c = 0; c < size; ++c) {
            a.push_back(static_cast<double>(c * c % 17 - 8));
            b.push_back(static_cast<double>(c * 5 % 11 - 5));
            expected += a.back() * b.back();
        }
        CHECK(sparse::dot(a.data(), b.data(), size) == expected);
    }
}

TEST_CASE("a plus the logarithm of b is rounded once") {
    for (double b : {1.0, 2.0, 0.3, 1e10}) {
        for (double a : {0.0, -3.25, 700.0}) {
            CHECK(sparse::plus_log(a, b) == static_cast<double>(static_cast<__float128>(a) + logq(b)));
        }
    }
    CHECK(sparse::plus_log(-2.0, 1.0) == -2.0);
}
