// exp of the tiles against MPFR and binary128: its stated bound, its special values, and the same bits on every
// instruction set.
#include <mpfr.h>
#include <quadmath.h>

#include <algorithm>
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

/// |got - exp(x)| in units of the last place of the exact result, which MPFR gives to 150 bits.
class Ulps {
public:
    Ulps() { mpfr_inits2(150, exact_, error_, nullptr); }
    ~Ulps() { mpfr_clears(exact_, error_, nullptr); }
    Ulps(const Ulps&) = delete;
    Ulps& operator=(const Ulps&) = delete;
    double operator()(double x, double got) {
        mpfr_set_d(exact_, x, MPFR_RNDN);
        mpfr_exp(exact_, exact_, MPFR_RNDN);
        // MPFR mantissas lie in [1/2, 1): the last place of 53 bits is 2^(exponent - 53), of subnormals 2^-1074.
        const mpfr_exp_t last_place = std::max<mpfr_exp_t>(mpfr_get_exp(exact_) - 53, -1074);
        mpfr_sub_d(error_, exact_, got, MPFR_RNDN);
        mpfr_mul_2si(error_, error_, -last_place, MPFR_RNDN);
        return std::abs(mpfr_get_d(error_, MPFR_RNDA));
    }

private:
    mpfr_t exact_, error_;
};

/// Arguments in order of what they try: every table entry at many exponents over the whole reduced range and just
/// beside the borders between entries, where the polynomial is worst; then uniform and tiny arguments.
std::vector<double> arguments() {
    std::vector<double> all;
    std::mt19937_64 engine(5);
    const auto unit = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
    const double step = std::log(2.0) / 16;  // one table entry
    for (int entry = 0; entry > -16 * 60; --entry) {
        for (int n = 0; n < 100; ++n) all.push_back(std::min(0.0, step * (entry + unit() - 0.5)));
        for (double border : {-0.5, 0.5}) {
            for (int n = 0; n < 40; ++n) {
                const double side = n % 2 == 0 ? 1.0 : -1.0;
                all.push_back(std::min(0.0, step * (entry + border + side * std::ldexp(unit(), -n))));
            }
        }
    }
    for (int n = 0; n < 150000; ++n) {
        all.push_back(n % 3 == 0 ? -745.2 * unit() : n % 3 == 1 ? -std::ldexp(unit(), -n % 60) : -40 * unit());
    }
    return all;
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

TEST_CASE("exp is within 0.6 ulp of MPFR on every instruction set, subnormal results within 1") {
    const std::vector<double> x = arguments();
    auto expected = x;
    best().exp_minus(expected.data(), static_cast<int>(x.size()), 0.0);
    Ulps ulps;
    double worst_normal = 0, worst_subnormal = 0;
    for (std::size_t n = 0; n < x.size(); ++n) {
        double& worst = x[n] < -708.3 ? worst_subnormal : worst_normal;
        const double error = ulps(x[n], expected[n]);
        worst = worst >= error ? worst : error;
    }
    CAPTURE(x.size(), worst_normal, worst_subnormal);
    CHECK(worst_normal <= 0.6);
    CHECK(worst_normal >= 0.5);  // the yardstick measures something
    CHECK(worst_subnormal <= 1.0);
    for (const Kernels* kernels : available()) {
        CAPTURE(kernels->name);
        auto got = x;
        kernels->exp_minus(got.data(), static_cast<int>(x.size()), 0.0);
        const bool same = got == expected;
        CHECK(same);
    }
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
