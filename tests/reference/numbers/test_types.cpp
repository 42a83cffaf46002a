// Double-double and MPFR numbers: exact construction, and the accuracy of every operation against MPFR at twice the
// precision.
#include <quadmath.h>

#include <random>

#include "reference/numbers/double_double.hpp"
#include "reference/numbers/mpfr.hpp"
#include "tests/reference/numbers/doubles.hpp"
#include "tests/support/catch.hpp"

namespace dca::numbers {
namespace {

Quad random_quad(std::mt19937_64& random, int exponents) {
    const Quad fraction = Quad(random()) * 0x1p-64 + Quad(random()) * 0x1p-128;
    const int exponent = static_cast<int>(random() % static_cast<unsigned>(2 * exponents + 1)) - exponents;
    return ldexpq(random() % 2 ? fraction : -fraction, exponent);
}

TEST_CASE("a binary128 constant becomes an MPFR number without rounding") {
    constexpr std::uint64_t seed = 46;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int trial = 0; trial < 2000; ++trial) {
        const Quad x = random_quad(random, 16000);
        Quad back = 0;  // by halves of the significand
        const Mpfr<128> number(x);
        int exponent = 0;
        const Quad scaled = ldexpq(frexpq(x, &exponent), 113);
        BigFloat shifted(128);
        mpfr_mul_2si(shifted.get(), number.data(), 113 - exponent, MPFR_RNDN);
        const double high = to_double(shifted, MPFR_RNDZ);
        mpfr_sub_d(shifted.get(), shifted.get(), high, MPFR_RNDN);
        const double middle = to_double(shifted, MPFR_RNDZ);
        mpfr_sub_d(shifted.get(), shifted.get(), middle, MPFR_RNDN);
        back = Quad(high) + Quad(middle) + Quad(to_double(shifted, MPFR_RNDZ));
        CHECK((back == scaled));
    }
    CHECK(Mpfr<64>(-__builtin_inf()).to_double() == -__builtin_inf());
    CHECK(mpfr_nan_p(Mpfr<64>(__builtin_nan("")).data()) != 0);
    CHECK(Mpfr<64>(Quad(0)) == Mpfr<64>());
}

TEST_CASE("MPFR numbers have the precision they are named for") {
    CHECK(mpfr_get_prec(Mpfr<100>().data()) >= 100);
    CHECK(mpfr_get_prec(Mpfr<128>().data()) >= 128);
    CHECK(mpfr_get_prec(Mpfr<256>().data()) >= 256);
    CHECK(mpfr_get_prec(Mpfr<512>(Quad(1) / 3).data()) >= 512);
    CHECK(mpfr_get_prec((Mpfr<512>(1) / Mpfr<512>(3)).data()) >= 512);
    CHECK(mpfr_get_prec(exp(Mpfr<1024>(1)).data()) >= 1024);
}

/// Relative errors of a type's operations against Mpfr<512>, over numbers of moderate size; of exp(x) per 1 + |x|.
struct Worst {
    double sum = 0, product = 0, quotient = 0, exp = 0, log = 0;
};

template <class T>
BigFloat value_of(const T& x) {
    if constexpr (std::is_same_v<T, DoubleDouble>)
        return exactly(x);
    else {
        BigFloat copy(mpfr_get_prec(x.data()));
        mpfr_set(copy.get(), x.data(), MPFR_RNDN);
        return copy;
    }
}

template <class T>
double relative_error(const T& found, const Mpfr<512>& exact) {
    const Mpfr<512> difference = Mpfr<512>(value_of(found)) - exact;
    const double size = std::abs((difference / exact).to_double());
    return exact == Mpfr<512>() ? std::abs(difference.to_double()) : size;
}

template <class T>
Worst worst_errors(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Worst worst;
    const auto note = [](double& largest, double error) {
        if (!(error <= largest)) largest = error;
    };
    for (int trial = 0; trial < 3000; ++trial) {
        const Quad x = random_quad(random, 30), y = random() % 4 ? random_quad(random, 30) : -x * (1 + Quad(0x1p-70));
        const T a(x), b(y);
        const Mpfr<512> exact_a(value_of(a)), exact_b(value_of(b));
        note(worst.sum, relative_error(a + b, exact_a + exact_b));
        note(worst.sum, relative_error(a - b, exact_a - exact_b));
        note(worst.product, relative_error(a * b, exact_a * exact_b));
        note(worst.quotient, relative_error(a / b, exact_a / exact_b));
        const T exponent(ldexpq(fmodq(x, 2), static_cast<int>(random() % 9)));
        const Mpfr<512> exact_exponent(value_of(exponent));
        note(worst.exp,
             relative_error(exp(exponent), exp(exact_exponent)) / (1 + std::abs(exact_exponent.to_double())));
        const T positive = a < T(0) ? T(0) - a : a;
        note(worst.log, relative_error(log(positive), log(Mpfr<512>(value_of(positive)))));
    }
    return worst;
}

TEST_CASE("double-double is as accurate as its header says") {
    constexpr std::uint64_t seed = 47;
    INFO("seed " << seed);
    const Worst worst = worst_errors<DoubleDouble>(seed);
    CAPTURE(std::log2(worst.sum), std::log2(worst.product), std::log2(worst.quotient), std::log2(worst.exp),
            std::log2(worst.log));
    CHECK(worst.sum <= 3.1 * 0x1p-106);
    CHECK(worst.product <= 7 * 0x1p-106);
    CHECK(worst.quotient <= 15 * 0x1p-106);
    CHECK(worst.exp <= 0x1p-104);
    CHECK(worst.log <= 0x1p-106);
}

TEST_CASE("MPFR numbers are correctly rounded") {
    constexpr std::uint64_t seed = 48;
    INFO("seed " << seed);
    const Worst worst = worst_errors<Mpfr<128>>(seed);
    CAPTURE(std::log2(worst.sum), std::log2(worst.product), std::log2(worst.quotient), std::log2(worst.exp),
            std::log2(worst.log));
    for (double error : {worst.sum, worst.product, worst.quotient, worst.exp, worst.log}) CHECK(error <= 0x1p-128);
    CHECK(worst.product > 0x1p-134);  // the comparison sees something
}

TEST_CASE("double-double takes a constant as hi plus lo, and infinity as itself") {
    const DoubleDouble third(Quad(1) / 3);
    CHECK(third.hi() == 1.0 / 3);
    CHECK(third.lo() == static_cast<double>(Quad(1) / 3 - Quad(1.0 / 3)));
    const DoubleDouble none(-__builtin_inf());
    CHECK(none.hi() == -__builtin_inf());
    CHECK(none.lo() == 0);
    CHECK(exp(DoubleDouble(-800)).hi() == 0);
    // QD's own operator+ returns 0 here: the low parts cancel the high ones.
    const DoubleDouble a(TwoDoubles{1, 0x1p-54}), b(TwoDoubles{-1, 0x1p-108});
    CHECK((a + b).hi() == 0x1p-54);
    CHECK((a + b).lo() == 0x1p-108);
}

}  // namespace
}  // namespace dca::numbers
