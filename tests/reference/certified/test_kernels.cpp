// Every kernel of the double-doubles against MPFR within its stated bound, and the same bits on every instruction set.
#include <algorithm>
#include <random>
#include <vector>

#include "reference/certified/bounds.hpp"
#include "reference/certified/kernels/choose.hpp"
#include "reference/certified/kernels/constants.hpp"
#include "tests/reference/certified/exact.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using certified::available;
using certified::Kernels;
using certified::u2;
using numbers::BigFloat;
using test::distance;
using test::exact_bits;
using test::magnitude;
using test::sum_of;

namespace {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    double signed_unit() { return 2 * unit() - 1; }
    int between(int low, int high) {
        return low + static_cast<int>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    /// Numbers of many magnitudes.
    double wide(int exponents) { return std::ldexp(signed_unit(), between(-exponents, 0)); }

private:
    std::mt19937_64 engine_;
};

/// Double-doubles: lo up to half an ulp of hi.
struct Doubles {
    std::vector<double> hi, lo;
    explicit Doubles(std::size_t n) : hi(n), lo(n) {}
    void set(std::size_t n, double x, double rest) {
        hi[n] = x;
        lo[n] = x == 0 ? 0 : std::ldexp(rest, std::ilogb(x) - 54);
    }
    friend bool operator==(const Doubles&, const Doubles&) = default;
};

Doubles random_row(Random& random, std::size_t n, int exponents) {
    Doubles row(n);
    for (std::size_t i = 0; i < n; ++i) row.set(i, random.wide(exponents), random.signed_unit());
    return row;
}

/// Runs on every set and checks that all give the bits of the first; returns those.
template <class Run>
auto on_every_set(const Run& run) {
    const auto first = run(*available().front());
    for (const Kernels* set : available()) {
        CAPTURE(set->name);
        CHECK(run(*set) == first);
    }
    return first;
}

}  // namespace

TEST_CASE("the constants of exp are what they are called") {
    BigFloat x(300), rest(300);
    mpfr_set_ui(x.get(), 1, MPFR_RNDN);
    for (unsigned n = 1; n < 15; ++n) {
        mpfr_div_ui(x.get(), x.get(), n, MPFR_RNDN);
        CHECK(certified::inverse_factorial[n] == mpfr_get_d(x.get(), MPFR_RNDN));
        mpfr_sub_d(rest.get(), x.get(), certified::inverse_factorial[n], MPFR_RNDN);
        if (n < 8) CHECK(certified::inverse_factorial_lo[n] == mpfr_get_d(rest.get(), MPFR_RNDN));
    }
    mpfr_const_log2(x.get(), MPFR_RNDN);
    mpfr_div_ui(x.get(), x.get(), 16, MPFR_RNDN);
    CHECK(std::fmod(certified::ln2_16[0], 0x1p-33) == 0);  // 29 bits
    for (const double part : certified::ln2_16) mpfr_sub_d(x.get(), x.get(), part, MPFR_RNDN);
    CHECK(magnitude(x) < 0x1p-139);
}

TEST_CASE("exp is within its bound of MPFR, and so is the sum") {
    Random random(11);
    constexpr int n = 128;
    for (int trial = 0; trial < 60; ++trial) {
        constexpr double ranges[] = {1e-3, 1, 40, 700, 1e4, 0x1p19};
        const double range = ranges[trial % 6];
        // Everything within reach of the largest element, as in a row of scores.
        const double top = range * random.signed_unit();
        Doubles x(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double below = std::min(range, 300.0) * random.unit();
            x.set(i, std::max(-range, top - below), random.signed_unit());
        }
        const double exponent = std::ceil(*std::max_element(x.hi.begin(), x.hi.end()) * 1.4426950408889634);
        const auto [y, sum] = on_every_set([&](const Kernels& set) {
            Doubles got = x;
            std::pair<double, double> total;
            set.exp_sum(got.hi.data(), got.lo.data(), n, exponent, &total.first, &total.second);
            return std::pair(got, total);
        });
        BigFloat total(exact_bits), exact(400), argument(400);
        double worst = 0;
        for (std::size_t i = 0; i < n; ++i) {
            mpfr_add_d(argument.get(), sum_of(x.hi[i], x.lo[i]).get(), 0, MPFR_RNDN);
            mpfr_exp(exact.get(), argument.get(), MPFR_RNDN);
            mpfr_mul_2si(exact.get(), exact.get(), -static_cast<long>(exponent), MPFR_RNDN);
            const double error = distance(y.hi[i], y.lo[i], exact.get()) / magnitude(exact);
            worst = std::max(worst, error / certified::exp_error(std::abs(x.hi[i])));
            mpfr_add(total.get(), total.get(), sum_of(y.hi[i], y.lo[i]).get(), MPFR_RNDN);
        }
        INFO("trial " << trial << ": range " << range << ", largest error / bound " << worst);
        CHECK(worst <= 1);
        if (range >= 1) CHECK(worst > 0x1p-7);  // the bound is not idle
        CHECK(distance(sum.first, sum.second, total.get()) <= certified::exp_sum_error * sum.first);
    }
}

TEST_CASE("exp of masked scores and of what is far below the largest is 0") {
    Doubles x(8);
    const double infinity = std::numeric_limits<double>::infinity();
    x.hi = {-infinity, 0, -640, -0x1p19, -600, -infinity, -1, -621};
    const auto y = on_every_set([&](const Kernels& set) {
        Doubles got = x;
        set.exp_times(got.hi.data(), got.lo.data(), 8, 3, 0.5, 0);
        return got;
    });
    CHECK(y.hi[0] == 0);
    CHECK(y.hi[1] == 0x1p-4);
    CHECK(y.hi[2] == 0);
    CHECK(y.hi[3] == 0);
    CHECK(y.hi[4] > 0);
    CHECK(y.hi[5] == 0);
    CHECK(y.hi[7] > 0);  // 2^-895.9 2^-3 is just above the cut
    for (const double lo : {y.lo[0], y.lo[2], y.lo[3], y.lo[5]}) CHECK(lo == 0);
}

TEST_CASE("products are within product_error of the exact sum, whatever cancels") {
    Random random(12);
    double worst = 0;
    for (int trial = 0; trial < 120; ++trial) {
        constexpr int lengths[] = {1, 7, 15, 16, 17, 33, 128, 300};
        const int k = lengths[trial % 8], m = 4, n = 16;
        const bool left_lo = trial % 3 != 0, right_lo = trial % 3 == 1;
        const int exponents = trial % 5 == 0 ? 0 : 40;
        Doubles a = random_row(random, static_cast<std::size_t>(m * k), exponents);
        Doubles b = random_row(random, static_cast<std::size_t>(k * n), exponents);
        if (trial % 7 == 0) {  // all of one sign: the partial sums reach the limit
            for (double& x : a.hi) x = std::abs(x);
            for (double& x : b.hi) x = std::abs(x);
        }
        std::vector<double> row_bias, column_bias;
        double sum = 0;
        for (int i = 0; i < m; ++i) {
            for (int c = 0; c < n; ++c) {
                double s = 0;
                for (int l = 0; l < k; ++l) s += std::abs(a.hi[i * k + l] * b.hi[l * n + c]);
                sum = std::max(sum, s);
            }
        }
        const certified::Bias bias(sum * certified::inflation);
        row_bias.assign(m, bias.value);
        column_bias.assign(n, 0.25);
        for (double& x : b.hi) x *= 0.25;
        for (double& x : b.lo) x *= 0.25;
        const bool accumulate = trial % 2 == 1;
        Doubles start = random_row(random, static_cast<std::size_t>(m * n), 3);
        const auto c = on_every_set([&](const Kernels& set) {
            std::vector<double> pa(certified::left_size(m, k)), pa_lo(pa.size());
            std::vector<double> pb(static_cast<std::size_t>(n * k)), pb_lo(pb.size());
            set.pack_left(false, m, k, a.hi.data(), k, pa.data());
            set.pack_left(false, m, k, a.lo.data(), k, pa_lo.data());
            const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(k) * set.right_panel;
            set.pack_right(false, n, k, b.hi.data(), n, pb.data(), stride);
            set.pack_right(false, n, k, b.lo.data(), n, pb_lo.data(), stride);
            Doubles got = start;
            set.multiply({.m = m,
                          .n = n,
                          .k = k,
                          .left = pa.data(),
                          .left_lo = left_lo ? pa_lo.data() : nullptr,
                          .right = pb.data(),
                          .right_lo = right_lo ? pb_lo.data() : nullptr,
                          .right_stride = stride,
                          .row_bias = row_bias.data(),
                          .column_bias = column_bias.data(),
                          .hi = got.hi.data(),
                          .lo = got.lo.data(),
                          .ld = n,
                          .accumulate = accumulate});
            return got;
        });
        const double bound = certified::product_error(k, left_lo + right_lo) * bias.power * 0.25;
        for (int i = 0; i < m; ++i) {
            for (int col = 0; col < n; ++col) {
                const auto at = static_cast<std::size_t>(i * n + col);
                BigFloat exact(exact_bits), term(exact_bits);
                if (accumulate) mpfr_add_d(exact.get(), sum_of(start.hi[at], start.lo[at]).get(), 0, MPFR_RNDN);
                for (int l = 0; l < k; ++l) {
                    const auto x = static_cast<std::size_t>(i * k + l), y = static_cast<std::size_t>(l * n + col);
                    mpfr_mul(term.get(), sum_of(a.hi[x], left_lo ? a.lo[x] : 0).get(),
                             sum_of(b.hi[y], right_lo ? b.lo[y] : 0).get(), MPFR_RNDN);
                    mpfr_add(exact.get(), exact.get(), term.get(), MPFR_RNDN);
                }
                const double allowed = bound + (accumulate ? 3.1 * u2 * magnitude(exact) : 0);
                const double error = distance(c.hi[at], c.lo[at], exact.get());
                INFO("trial " << trial << " k " << k);
                CHECK(error <= allowed);
                CHECK(c.hi[at] + c.lo[at] == c.hi[at]);
                worst = std::max(worst, error / allowed);
            }
        }
    }
    CHECK(worst > 0x1p-5);  // the bound is not idle
}

TEST_CASE("row kernels are within their bounds") {
    Random random(13);
    constexpr std::size_t n = 64;
    for (int trial = 0; trial < 40; ++trial) {
        const Doubles x = random_row(random, n, 20), y = random_row(random, n, 20);
        const Doubles shift = random_row(random, 1, 4);
        const auto scaled = on_every_set([&](const Kernels& set) {
            Doubles got = x;
            set.scale(got.hi.data(), got.lo.data(), n, shift.hi[0], shift.lo[0]);
            return got;
        });
        const auto summed = on_every_set([&](const Kernels& set) {
            Doubles got = x;
            set.add(got.hi.data(), got.lo.data(), y.hi.data(), y.lo.data(), n);
            return got;
        });
        const auto [ds, total] = on_every_set([&](const Kernels& set) {
            Doubles got = y;
            const double sum =
                set.score_gradient(x.hi.data(), x.lo.data(), got.hi.data(), got.lo.data(), n, shift.hi[0], shift.lo[0]);
            return std::pair(got, sum);
        });
        const auto dot = on_every_set([&](const Kernels& set) {
            Doubles got(1);
            set.dot(x.hi.data(), y.hi.data(), y.lo.data(), n, got.hi.data(), got.lo.data());
            return got;
        });
        const auto columns = on_every_set([&](const Kernels& set) {
            std::vector<double> sums(n, 1.0);
            set.add_columns(x.hi.data(), n, 3, sums.data());
            return sums;
        });
        BigFloat exact(exact_bits), dot_exact(exact_bits);
        const test::Value moved = sum_of(shift.hi[0], shift.lo[0]);
        double dot_terms = 0, total_expected = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const test::Value a = sum_of(x.hi[i], x.lo[i]), b = sum_of(y.hi[i], y.lo[i]);
            mpfr_mul(exact.get(), a.get(), moved.get(), MPFR_RNDN);
            CHECK(distance(scaled.hi[i], scaled.lo[i], exact.get()) <= 5 * u2 * magnitude(exact));
            mpfr_add(exact.get(), a.get(), b.get(), MPFR_RNDN);
            CHECK(distance(summed.hi[i], summed.lo[i], exact.get()) <= 3.01 * u2 * magnitude(exact));
            mpfr_sub(exact.get(), b.get(), moved.get(), MPFR_RNDN);
            mpfr_mul(exact.get(), exact.get(), a.get(), MPFR_RNDN);
            const double terms = std::abs(x.hi[i]) * (std::abs(y.hi[i]) + std::abs(shift.hi[0]));
            CHECK(distance(ds.hi[i], ds.lo[i], exact.get()) <= 8.01 * u2 * terms);
            total_expected += std::abs(ds.hi[i]);
            mpfr_mul_d(exact.get(), b.get(), x.hi[i], MPFR_RNDN);
            mpfr_add(dot_exact.get(), dot_exact.get(), exact.get(), MPFR_RNDN);
            dot_terms += std::abs(x.hi[i] * y.hi[i]);
            CHECK(columns[i] == std::fma(3, std::abs(x.hi[i]), 1.0));
        }
        CHECK(distance(dot.hi[0], dot.lo[0], dot_exact.get()) <= certified::dot_error(static_cast<int>(n)) * dot_terms);
        CHECK(std::abs(total - total_expected) <= 0x1p-46 * total_expected);
    }
}

TEST_CASE("complex products are within their bound") {
    Random random(14);
    constexpr std::size_t n = 16;
    for (int trial = 0; trial < 40; ++trial) {
        const Doubles x = random_row(random, 2 * n, 6), y = random_row(random, 2 * n, 6);
        const auto z = on_every_set([&](const Kernels& set) {
            Doubles got(2 * n);
            set.multiply_complex(x.hi.data(), x.lo.data(), y.hi.data(), y.lo.data(), n, got.hi.data(), got.lo.data());
            return got;
        });
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t re = i / 8 * 16 + i % 8, im = re + 8;
            const auto value = [](const Doubles& d, std::size_t at) { return sum_of(d.hi[at], d.lo[at]); };
            BigFloat exact(exact_bits), term(exact_bits);
            const double size = std::hypot(x.hi[re], x.hi[im]) * std::hypot(y.hi[re], y.hi[im]) * (1 + 0x1p-40);
            mpfr_mul(exact.get(), value(x, re).get(), value(y, re).get(), MPFR_RNDN);
            mpfr_mul(term.get(), value(x, im).get(), value(y, im).get(), MPFR_RNDN);
            mpfr_sub(exact.get(), exact.get(), term.get(), MPFR_RNDN);
            CHECK(distance(z.hi[re], z.lo[re], exact.get()) <= 8 * u2 * size);
            mpfr_mul(exact.get(), value(x, re).get(), value(y, im).get(), MPFR_RNDN);
            mpfr_mul(term.get(), value(x, im).get(), value(y, re).get(), MPFR_RNDN);
            mpfr_add(exact.get(), exact.get(), term.get(), MPFR_RNDN);
            CHECK(distance(z.hi[im], z.lo[im], exact.get()) <= 8 * u2 * size);
        }
    }
}
