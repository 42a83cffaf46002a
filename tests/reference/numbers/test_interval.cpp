// What an interval says about itself: ends, midpoint and radius, what it encloses, and the double it rounds to.
#include "reference/numbers/interval.hpp"

#include <quadmath.h>

#include <random>

#include "tests/reference/numbers/doubles.hpp"
#include "tests/support/catch.hpp"

namespace dca::numbers {
namespace {

using Wide = Mpfr<256>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST_CASE("a constant is a point where the ends have it, and enclosed by neighbours where not") {
    const Interval<double> tenth(Quad(1) / 10);
    CHECK(std::nextafter(tenth.lower(), 1.0) == tenth.upper());
    CHECK(tenth.encloses(Quad(1) / 10));
    CHECK_FALSE(tenth.encloses(Quad(0.1) + 0x1p-50));
    CHECK(Interval<double>(Quad(0.1)).radius() == 0);
    CHECK(Interval<Wide>(Quad(1) / 10).radius() == Wide(0));
    CHECK(Interval<double>().lower() == 0);
    CHECK_FALSE(Interval<double>(-1, 1).encloses(Quad(__builtin_nan(""))));
    CHECK_THROWS_AS((Interval<double>(1, 0)), ContractError);
    CHECK_THROWS_AS((Interval<double>(0, std::nan(""))), ContractError);
}

TEST_CASE("midpoint and radius cover both ends") {
    constexpr std::uint64_t seed = 43;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int trial = 0; trial < 5000; ++trial) {
        const double a = any_double(random), b = any_double(random);
        const Interval<double> x(std::min(a, b), std::max(a, b));
        const double middle = x.midpoint(), radius = x.radius();
        CHECK((x.lower() <= middle && middle <= x.upper()));
        BigFloat end(2200);
        const BigFloat centre = exact_value(middle);
        mpfr_sub_d(end.get(), centre.get(), radius, MPFR_RNDN);
        CHECK((radius == infinity || mpfr_cmp_d(end.get(), x.lower()) <= 0));
        mpfr_add_d(end.get(), centre.get(), radius, MPFR_RNDN);
        CHECK((radius == infinity || mpfr_cmp_d(end.get(), x.upper()) >= 0));
    }
    const Interval<double> half_line(0, infinity);
    CHECK(half_line.radius() == infinity);
}

TEST_CASE("rounds_to is the double of every point, or nothing") {
    const auto power = [](int exponent) { return ldexpq(1, exponent); };
    const auto between = [](Quad near, Quad from, Quad to) {
        return Interval<Wide>(Wide(near) + Wide(from), Wide(near) + Wide(to));
    };
    CHECK(between(1, -power(-60), power(-60)).rounds_to() == 1.0);
    CHECK(between(1, power(-54), power(-53)).rounds_to() == 1.0);  // the tie goes to even
    CHECK_FALSE(between(1, power(-54), power(-53) + power(-80)).rounds_to());
    const double next = 1 + 0x1p-52;
    CHECK(between(next, -power(-53) + power(-100), power(-54)).rounds_to() == next);
    CHECK_FALSE(between(next, -power(-53), power(-54)).rounds_to());   // this tie goes to even too, which is 1
    CHECK_FALSE(between(0, -power(-1080), power(-1080)).rounds_to());  // -0 or 0
    CHECK(between(0, power(-1080), power(-1079)).rounds_to() == 0.0);
    // A subnormal result is rounded once: to 53 bits first, it would be a tie of the subnormal numbers.
    CHECK(between(3 * power(-1075), -power(-1140), -power(-1141)).rounds_to() == 0x1p-1074);
    CHECK(Interval<double>(2, 2).rounds_to() == 2.0);
    CHECK_FALSE(Interval<double>(2, std::nextafter(2, 3)).rounds_to());
    CHECK(Interval<Wide>(-infinity).rounds_to() == -infinity);
    CHECK_FALSE(Interval<Wide>(Wide(1), Wide(infinity)).rounds_to());
}

TEST_CASE("division by an interval with zero is unbounded or refused, never wrong") {
    const Interval<double> x(1, 2), around_zero(-1, 1), from_zero(0, 4), zero;
    const Interval<double> all = x / around_zero;
    CHECK((all.lower() == -infinity && all.upper() == infinity));
    const Interval<double> beyond = x / from_zero;
    CHECK((beyond.lower() == 0.25 && beyond.upper() == infinity));
    CHECK_THROWS_AS(x / zero, ContractError);
    CHECK_THROWS_AS(log(zero), ContractError);
    CHECK_THROWS_AS(log(Interval<Wide>(Wide(-2), Wide(-1))), ContractError);
    CHECK(log(from_zero).lower() == -infinity);
    CHECK((zero * all).upper() == 0);
    CHECK_THROWS_AS((Interval<double>(infinity) - Interval<double>(infinity)), ContractError);
}

TEST_CASE("random expressions of intervals enclose their exact values") {
    constexpr std::uint64_t seed = 44;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto unit = [&] { return static_cast<double>(static_cast<std::int64_t>(random())) * 0x1p-63; };
    for (int trial = 0; trial < 2000; ++trial) {
        const double a = unit(), b = unit(), c = unit();
        using Exact = Mpfr<400>;
        const Exact value = exp(Exact(a) * Exact(b)) / (Exact(c) * Exact(c) + Exact(a)) - log(Exact(2) + Exact(b));
        const auto check = [&]<class I>(std::type_identity<I>) {
            const I result = exp(I(a) * I(b)) / (I(c) * I(c) + I(a)) - log(I(2) + I(b));
            return result.encloses(value.data());
        };
        CHECK(check(std::type_identity<Interval<double>>{}));
        CHECK(check(std::type_identity<Interval<Wide>>{}));
    }
}

TEST_CASE("cos and sin of exact angles are enclosed at every distance") {
    constexpr std::uint64_t seed = 45;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int trial = 0; trial < 1000; ++trial) {
        const auto position = static_cast<std::int64_t>(random() >> 33);
        const double frequency = static_cast<double>(random() >> 11) * 0x1p-53;
        const Quad scale = Quad(1.25) * Quad(1 + 0x1p-52);
        const auto [cos, sin] = scaled_cos_sin(std::type_identity<Mpfr<400>>{}, position, frequency, scale);
        const auto narrow = scaled_cos_sin(std::type_identity<Interval<double>>{}, position, frequency, scale);
        const auto wide = scaled_cos_sin(std::type_identity<Interval<Wide>>{}, position, frequency, scale);
        CHECK((narrow.first.encloses(cos.data()) && narrow.second.encloses(sin.data())));
        CHECK((wide.first.encloses(cos.data()) && wide.second.encloses(sin.data())));
        // Two roundings of numbers up to 1.25 * 1, outwards: 4 spacings, each at most 2^-52.
        CHECK(narrow.first.upper() - narrow.first.lower() <= 0x1p-50);
        CHECK((wide.second.upper() - wide.second.lower()).to_double() <= 0x1p-253);
    }
}

}  // namespace
}  // namespace dca::numbers
