// Balls of MPFR: whatever numbers the operands stand for, the exact result lies within the result.
#include <random>

#include "reference/certified/ball.hpp"
#include "tests/reference/certified/exact.hpp"
#include "tests/support/catch.hpp"

using namespace dca;

namespace {

using Ball = certified::Ball<64>;  // narrow, so that roundings show

/// Whether |middle - exact| <= radius.
bool holds(const Ball& ball, mpfr_srcptr exact) {
    numbers::BigFloat d(test::exact_bits);
    mpfr_sub(d.get(), ball.middle(), exact, MPFR_RNDA);
    mpfr_abs(d.get(), d.get(), MPFR_RNDN);
    return mpfr_cmp_d(d.get(), ball.radius()) <= 0;
}

/// One of the ends of the ball, or its middle.
numbers::BigFloat point(const Ball& ball, int where) {
    numbers::BigFloat x(test::exact_bits);
    mpfr_add_d(x.get(), ball.middle(), where * ball.radius(), MPFR_RNDN);
    return x;
}

}  // namespace

TEST_CASE("balls enclose the results of every number within the operands") {
    std::mt19937_64 engine(31);
    const auto unit = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
    const auto number = [&] { return std::ldexp(2 * unit() - 1, static_cast<int>(engine() % 40) - 20); };
    int tight = 0;
    for (int trial = 0; trial < 4000; ++trial) {
        const double x = number(), y = number();
        // Radii from nothing to a quarter of the number; middles with more bits than a double.
        const auto ball = [&](double value) {
            const Ball third = Ball(value) * Ball(1.0 / 3).centre();
            const double radius = trial % 4 == 0 ? 0 : std::abs(value) * std::ldexp(unit(), -4 - trial % 60);
            return third.centre().widened(radius);
        };
        const Ball a = ball(x), b = ball(y), positive = ball(std::abs(x)), small = ball(2 * unit() - 1);
        numbers::BigFloat exact(test::exact_bits);
        for (const int i : {-1, 0, 1}) {
            for (const int j : {-1, 0, 1}) {
                const numbers::BigFloat p = point(a, i), q = point(b, j);
                mpfr_add(exact.get(), p.get(), q.get(), MPFR_RNDN);
                CHECK(holds(a + b, exact.get()));
                mpfr_sub(exact.get(), p.get(), q.get(), MPFR_RNDN);
                CHECK(holds(a - b, exact.get()));
                mpfr_mul(exact.get(), p.get(), q.get(), MPFR_RNDN);
                CHECK(holds(a * b, exact.get()));
                mpfr_div(exact.get(), p.get(), q.get(), MPFR_RNDN);
                CHECK(holds(a / b, exact.get()));
            }
            mpfr_set_prec(exact.get(), 300);
            const numbers::BigFloat in_log = point(positive, i), in_exp = point(small, i);
            mpfr_log(exact.get(), in_log.get(), MPFR_RNDN);
            CHECK(holds(log(positive), exact.get()));
            mpfr_exp(exact.get(), in_exp.get(), MPFR_RNDN);
            CHECK(holds(exp(small), exact.get()));
            mpfr_set_prec(exact.get(), test::exact_bits);
        }
        const auto rounded = (a * b).rounds_to();
        if (!rounded) continue;
        for (const int i : {-1, 1}) {
            const numbers::BigFloat p = point(a * b, i);
            CHECK(mpfr_get_d(p.get(), MPFR_RNDN) == *rounded);
        }
        ++tight;
    }
    CHECK(tight > 500);
}

TEST_CASE("balls: what is exact stays exact, and what is unknown says so") {
    const Ball three(3), seven(7);
    CHECK((three * seven - Ball(21)).radius() == 0);
    CHECK((three * seven - Ball(21)).rounds_to() == 0.0);
    CHECK(exp(Ball(0)).radius() == 0);
    CHECK((three / seven).radius() > 0);
    CHECK((three / seven).rounds_to() == 3.0 / 7);
    CHECK_FALSE(std::isfinite((three / Ball()).radius()));
    CHECK_FALSE(std::isfinite((three / Ball(1).widened(1)).radius()));
    CHECK_FALSE(std::isfinite(exp(Ball(0).widened(1)).radius()));
    CHECK_FALSE(std::isfinite(log(Ball(1).widened(1)).radius()));
    CHECK_FALSE((three / Ball()).rounds_to());
    CHECK_FALSE(Ball(1).widened(0x1p-52).rounds_to());
    CHECK_FALSE((Ball(1) + Ball(0x1p-53).widened(0x1p-63)).rounds_to());  // a tie that may be none
    CHECK((Ball(1) + Ball(0x1p-53)).rounds_to() == 1.0);
    const auto [cos, sin] = Ball::cos_sin(std::int64_t{1} << 31, 0.7, 1);
    const Ball one = cos * cos + sin * sin - Ball(1);
    CHECK(mpfr_cmpabs(one.middle(), Ball(one.radius()).middle()) <= 0);
    CHECK(one.radius() < 0x1p-60);
}
