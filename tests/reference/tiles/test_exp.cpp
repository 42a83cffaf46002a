// exp of the tiles against binary128: its stated bound, its special values, and the same bits on every instruction set.
#include <quadmath.h>

#include <cmath>
#include <random>
#include <vector>

#include "reference/tiles/exp_table.hpp"
#include "reference/tiles/tiles.hpp"
#include "tests/support/catch.hpp"

using namespace dca::tiles;

namespace {

double exp_of(const Kernels& kernels, double x) {
    kernels.exp_minus(&x, 1, 0.0);
    return x;
}

/// |got - exp(x)| in units of the last place of the exact result.
double ulps(double x, double got) {
    const __float128 exact = expq(x);
    const int exponent = std::max(ilogbq(exact), -1022);
    return static_cast<double>(fabsq(got - exact) / scalbnq(1, exponent - 52));
}

}  // namespace

TEST_CASE("the exp table holds 2^(j/16) as the nearest double and its remainder") {
    for (int j = 0; j < 16; ++j) {
        CAPTURE(j);
        const __float128 exact = exp2q(static_cast<__float128>(j) / 16);
        CHECK(exp_table_hi[j] == static_cast<double>(exact));
        CHECK(exp_table_lo[j] == static_cast<double>(exact - exp_table_hi[j]));
    }
}

TEST_CASE("exp is within 0.6 ulp, subnormal results within 1") {
    const Kernels& kernels = best();
    std::mt19937_64 engine(5);
    double worst_normal = 0, worst_subnormal = 0;
    for (int n = 0; n < 200000; ++n) {
        const double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
        const double x = n % 4 == 0 ? -745.2 * unit : n % 4 == 1 ? -std::ldexp(unit, -n % 60) : -40 * unit;
        double& worst = x < -708.3 ? worst_subnormal : worst_normal;
        const double error = ulps(x, exp_of(kernels, x));
        worst = worst >= error ? worst : error;
    }
    CAPTURE(worst_normal, worst_subnormal);
    CHECK(worst_normal <= 0.6);
    CHECK(worst_subnormal <= 1.0);
}

TEST_CASE("exp at its special values") {
    for (const Kernels* kernels : available()) {
        CAPTURE(kernels->name);
        CHECK(exp_of(*kernels, 0.0) == 1.0);
        CHECK(exp_of(*kernels, -0.0) == 1.0);
        CHECK(exp_of(*kernels, -HUGE_VAL) == 0.0);
        CHECK(exp_of(*kernels, -1e300) == 0.0);
        CHECK(exp_of(*kernels, -745.0) == 0x1p-1074);
        CHECK(exp_of(*kernels, -746.0) == 0.0);
        CHECK(std::isnan(exp_of(*kernels, std::nan(""))));
    }
}

TEST_CASE("exp_minus gives the same bits on every instruction set and length") {
    std::mt19937_64 engine(17);
    for (int n : {1, 3, 8, 13, 16, 100, 128}) {
        std::vector<double> scores(static_cast<std::size_t>(n));
        for (double& x : scores) {
            const double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
            x = engine() % 9 == 0 ? -HUGE_VAL : 3.0 - (engine() % 5 == 0 ? 748.0 : 30.0) * unit;
        }
        auto expected = scores;
        const double expected_sum = available().back()->exp_minus(expected.data(), n, 3.0);
        for (const Kernels* kernels : available()) {
            CAPTURE(kernels->name, n);
            auto row = scores;
            CHECK(kernels->exp_minus(row.data(), n, 3.0) == expected_sum);
            CHECK(row == expected);
        }
    }
}
