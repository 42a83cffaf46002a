// Directed rounding of doubles and of MPFR numbers: on the right side always, and never farther than one neighbour.
#include "reference/numbers/directed.hpp"

#include <random>
#include <string>

#include "tests/reference/numbers/doubles.hpp"
#include "tests/support/catch.hpp"

namespace dca::numbers {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

enum class Operation { add, sub, mul, div, exp, log };

/// The result as MPFR rounds it to 53 bits, and from there in the same direction to a double.
double expected(Operation operation, double a, double b, mpfr_rnd_t mode) {
    const BigFloat x = exact_value(a), y = exact_value(b);
    BigFloat result(53);
    switch (operation) {
        case Operation::add: mpfr_add(result.get(), x.get(), y.get(), mode); break;
        case Operation::sub: mpfr_sub(result.get(), x.get(), y.get(), mode); break;
        case Operation::mul: mpfr_mul(result.get(), x.get(), y.get(), mode); break;
        case Operation::div: mpfr_div(result.get(), x.get(), y.get(), mode); break;
        case Operation::exp: mpfr_exp(result.get(), x.get(), mode); break;
        case Operation::log: mpfr_log(result.get(), x.get(), mode); break;
    }
    return to_double(result, mode);
}

double found(Operation operation, double a, double b, Bound bound) {
    using D = Directed<double>;
    const bool down = bound == Bound::lower;
    switch (operation) {
        case Operation::add: return down ? D::add_down(a, b) : D::add_up(a, b);
        case Operation::sub: return down ? D::sub_down(a, b) : D::sub_up(a, b);
        case Operation::mul: return down ? D::mul_down(a, b) : D::mul_up(a, b);
        case Operation::div: return down ? D::div_down(a, b) : D::div_up(a, b);
        case Operation::exp: return down ? D::exp_down(a) : D::exp_up(a);
        case Operation::log: return down ? D::log_down(a) : D::log_up(a);
    }
    return 0;
}

TEST_CASE("directed operations on doubles are the exact result rounded in that direction") {
    constexpr std::uint64_t seed = 41;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    int inexact = 0;
    for (int trial = 0; trial < 40000; ++trial) {
        const double a = any_double(random), b = any_double(random);
        for (Operation operation :
             {Operation::add, Operation::sub, Operation::mul, Operation::div, Operation::exp, Operation::log}) {
            if (operation == Operation::div && b == 0) continue;
            if (operation == Operation::log && !(a > 0)) continue;
            const double low = found(operation, a, b, Bound::lower), high = found(operation, a, b, Bound::upper);
            inexact += low != high;
            if (low == expected(operation, a, b, MPFR_RNDD) && high == expected(operation, a, b, MPFR_RNDU)) continue;
            FAIL_CHECK("operation " << static_cast<int>(operation) << " of " << a << " and " << b);
        }
    }
    CHECK(inexact > 40000);
}

TEST_CASE("infinite ends stay on their side, and zero times an unbounded end is zero") {
    using D = Directed<double>;
    CHECK(D::add_down(-infinity, 1) == -infinity);
    CHECK(D::add_up(std::numeric_limits<double>::max(), 1) == infinity);
    CHECK(D::add_down(std::numeric_limits<double>::max(), std::numeric_limits<double>::max()) ==
          std::numeric_limits<double>::max());
    CHECK(D::mul_up(infinity, 0) == 0);
    CHECK(D::mul_down(-infinity, 2) == -infinity);
    CHECK(D::div_down(1, infinity) == 0);
    CHECK(D::exp_down(-1000) == 0);
    CHECK(D::exp_up(-1000) == std::numeric_limits<double>::denorm_min());
    CHECK(D::exp_down(1000) == std::numeric_limits<double>::max());
    CHECK(D::exp_up(1000) == infinity);
}

TEST_CASE("directed operations on MPFR numbers enclose the exact result") {
    using Narrow = Mpfr<100>;
    using D = Directed<Narrow>;
    constexpr std::uint64_t seed = 42;
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto inside = [](const Narrow& low, const BigFloat& exact, const Narrow& high) {
        return mpfr_cmp(low.data(), exact.get()) <= 0 && mpfr_cmp(exact.get(), high.data()) <= 0 && low < high;
    };
    for (int trial = 0; trial < 2000; ++trial) {
        const Narrow a = exp(Narrow(static_cast<double>(random() >> 11) * 0x1p-53));  // no exact products
        const Narrow b = exp(Narrow(static_cast<double>(random() >> 11) * 0x1p-53));
        BigFloat exact(400);
        mpfr_mul(exact.get(), a.data(), b.data(), MPFR_RNDN);
        CHECK(inside(D::mul_down(a, b), exact, D::mul_up(a, b)));
        mpfr_div(exact.get(), a.data(), b.data(), MPFR_RNDN);
        CHECK(inside(D::div_down(a, b), exact, D::div_up(a, b)));
        mpfr_exp(exact.get(), a.data(), MPFR_RNDN);
        CHECK(inside(D::exp_down(a), exact, D::exp_up(a)));
        mpfr_log(exact.get(), a.data(), MPFR_RNDN);
        CHECK(inside(D::log_down(a), exact, D::log_up(a)));
        const Narrow tiny = b * Narrow(0x1p-150);
        mpfr_add(exact.get(), a.data(), tiny.data(), MPFR_RNDN);
        CHECK(inside(D::add_down(a, tiny), exact, D::add_up(a, tiny)));
        mpfr_sub(exact.get(), a.data(), tiny.data(), MPFR_RNDN);
        CHECK(inside(D::sub_down(a, tiny), exact, D::sub_up(a, tiny)));
    }
}

}  // namespace
}  // namespace dca::numbers
