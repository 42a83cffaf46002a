// One algorithm in every number system: the oracle's forward and backward over random problems. Each type differs from
// MPFR with 512 bits by no more than its unit roundoff explains, and intervals enclose it.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "reference/numbers/double_double.hpp"
#include "reference/numbers/interval.hpp"
#include "reference/numbers/mpfr.hpp"
#include "reference/oracle/definition.hpp"
#include "tests/reference/numbers/doubles.hpp"
#include "tests/reference/oracle/bounds.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

namespace dca::numbers {
namespace {

using oracle::RoundingBounds;
using Truth = Mpfr<512>;

template <class S>
struct Results {
    oracle::TypedOutputs<S> outputs;
    oracle::TypedGradients<S> gradients;
};

template <class S>
Results<S> compute(const Problem& problem, const Inputs& inputs) {
    return {oracle::forward<S>(problem, inputs), oracle::backward<S>(problem, inputs)};
}

/// Calls visit(name, elements of `a`, elements of `b`, the bound that applies) for out, lse, dq, dk, dv.
template <class A, class B, class Visit>
void for_each_tensor(const Results<A>& a, const Results<B>& b, const RoundingBounds& bounds, Visit visit) {
    visit("out", a.outputs.out.values(), b.outputs.out.values(), bounds.out);
    visit("lse", a.outputs.lse.values(), b.outputs.lse.values(), bounds.lse);
    visit("dq", a.gradients.dq.values(), b.gradients.dq.values(), bounds.gradient);
    visit("dk", a.gradients.dk.values(), b.gradients.dk.values(), bounds.gradient);
    visit("dv", a.gradients.dv.values(), b.gradients.dv.values(), bounds.gradient);
}

BigFloat value_of(const DoubleDouble& x) {
    return exactly(x);
}
template <unsigned Bits>
BigFloat value_of(const Mpfr<Bits>& x) {
    BigFloat copy(mpfr_get_prec(x.data()));
    mpfr_set(copy.get(), x.data(), MPFR_RNDN);
    return copy;
}
template <class T>
requires(oracle::Builtin<T>) BigFloat value_of(T x) {
    return exactly(static_cast<Quad>(x));
}

template <class S>
void check_near_truth(const Problem& problem, const Inputs& inputs, const Results<Truth>& truth, double roundoff) {
    const RoundingBounds bounds = oracle::rounding_bounds(problem, roundoff);
    for_each_tensor(compute<S>(problem, inputs), truth, bounds,
                    [&](const char* name, auto found, auto expected, double bound) {
                        double worst = 0;
                        for (std::size_t e = 0; e < found.size(); ++e) {
                            const double error = distance(value_of(found[e]), value_of(expected[e]));
                            if (!(error <= worst)) worst = error;
                        }
                        INFO(name << ", unit roundoff " << roundoff);
                        CHECK(worst <= bound);
                    });
}

BigFloat exact_end(double x) {
    return exact_value(x);
}
template <unsigned Bits>
BigFloat exact_end(const Mpfr<Bits>& x) {
    return value_of(x);
}

/// How many elements are not enclosed, and the widest enclosure in units of what may be expected of it.
struct Enclosures {
    int elements = 0, missed = 0;
    double widest = 0;
};

// An interval grows by the same recurrence as the worst-case error that rounding_bounds follows, with 2 u for u, as
// both ends move; but a number that enters twice counts twice. The shift by the largest logit enters each exponential,
// their sum, and lse once more, so that the radius of P has 4 (d + 8) A u where the bound has 2, that of lse 3 where it
// has 1; gradients are linear in P's. The width is twice the radius: at most 2 * 3 times the bound at 2 u.
constexpr double widest_allowed = 6;

template <class I>
Enclosures enclosures(const Problem& problem, const Inputs& inputs, const Results<Truth>& truth, double roundoff) {
    Enclosures found;
    for_each_tensor(compute<I>(problem, inputs), truth, oracle::rounding_bounds(problem, 2 * roundoff),
                    [&](const char*, auto intervals, auto expected, double bound) {
                        for (std::size_t e = 0; e < intervals.size(); ++e) {
                            ++found.elements;
                            found.missed += !intervals[e].encloses(expected[e].data());
                            if (intervals[e].lower() == intervals[e].upper()) continue;
                            const double width =
                                distance(exact_end(intervals[e].lower()), exact_end(intervals[e].upper()));
                            if (!(width / bound <= found.widest)) found.widest = width / bound;
                        }
                    });
    return found;
}

TEST_CASE("every number system agrees with MPFR to its own precision, and intervals enclose it") {
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = oracle::random_inputs(problem, seed);
        const Results<Truth> truth = compute<Truth>(problem, inputs);
        check_near_truth<double>(problem, inputs, truth, 0x1p-53);
        check_near_truth<long double>(problem, inputs, truth, 0x1p-64);
        check_near_truth<Quad>(problem, inputs, truth, 0x1p-113);
        check_near_truth<DoubleDouble>(problem, inputs, truth, 0x1p-102);
        check_near_truth<Mpfr<256>>(problem, inputs, truth, 0x1p-256);
        const Enclosures narrow = enclosures<Interval<double>>(problem, inputs, truth, 0x1p-53);
        CHECK(narrow.missed == 0);
        CHECK(narrow.widest <= widest_allowed);
        const Enclosures wide = enclosures<Interval<Mpfr<256>>>(problem, inputs, truth, 0x1p-256);
        CHECK(wide.missed == 0);
        CHECK(wide.widest <= widest_allowed);
        CHECK(wide.elements > 0);
    }
}

/// The fault that interval arithmetic must not have: ends that do not move outwards.
template <class End>
struct ToNearest : Directed<End> {
    using unprotected_rounding = ToNearest;
    static End add_down(const End& a, const End& b) { return a + b; }
    static End add_up(const End& a, const End& b) { return a + b; }
    static End sub_down(const End& a, const End& b) { return a - b; }
    static End sub_up(const End& a, const End& b) { return a - b; }
    static End mul_down(const End& a, const End& b) { return a * b; }
    static End mul_up(const End& a, const End& b) { return a * b; }
    static End exp_up(const End& x) { return Directed<End>::exp_down(x); }
    static End from_exact(mpfr_srcptr x, Bound) { return Directed<End>::from_exact(x, Bound::lower); }
};
TEST_CASE("enclosures with ends rounded to nearest miss the truth, and this comparison sees it") {
    const Problem problem = test::plain_problem(12, {6, 2}, 2, 1, 4);
    const Inputs inputs = oracle::random_inputs(problem, 7);
    const Results<Truth> truth = compute<Truth>(problem, inputs);
    CHECK(enclosures<Interval<double>>(problem, inputs, truth, 0x1p-53).missed == 0);
    CHECK(enclosures<Interval<double, ToNearest<double>>>(problem, inputs, truth, 0x1p-53).missed > 0);
    using End = Mpfr<256>;
    CHECK(enclosures<Interval<End, ToNearest<End>>>(problem, inputs, truth, 0x1p-256).missed > 0);
}

/// Angles taken from binary128, as a type wider than it must not.
struct CoarseAngles : Truth {
    CoarseAngles() = default;
    using Truth::Truth;
    explicit CoarseAngles(const Truth& x) : Truth(x) {}
    friend CoarseAngles operator+(const CoarseAngles& a, const CoarseAngles& b) { return CoarseAngles(truth(a) + b); }
    friend CoarseAngles operator-(const CoarseAngles& a, const CoarseAngles& b) { return CoarseAngles(truth(a) - b); }
    friend CoarseAngles operator*(const CoarseAngles& a, const CoarseAngles& b) { return CoarseAngles(truth(a) * b); }
    friend CoarseAngles operator/(const CoarseAngles& a, const CoarseAngles& b) { return CoarseAngles(truth(a) / b); }
    friend CoarseAngles exp(const CoarseAngles& x) { return CoarseAngles(exp(truth(x))); }
    friend CoarseAngles log(const CoarseAngles& x) { return CoarseAngles(log(truth(x))); }
    static const Truth& truth(const CoarseAngles& x) { return x; }
};
std::pair<CoarseAngles, CoarseAngles> scaled_cos_sin(std::type_identity<CoarseAngles>, std::int64_t position,
                                                     double frequency, Quad scale) {
    const auto [cos, sin] = oracle::scaled_cos_sin(std::type_identity<Quad>{}, position, frequency, scale);
    return {CoarseAngles(cos), CoarseAngles(sin)};
}

TEST_CASE("angles of binary128 in a wider type are seen") {
    const Problem problem = test::plain_problem(12, {6, 2}, 2, 1, 4);
    const Inputs inputs = oracle::random_inputs(problem, 8);
    const auto truth = oracle::forward<Truth>(problem, inputs);
    const auto coarse = oracle::forward<CoarseAngles>(problem, inputs);
    double worst = 0;
    for (std::size_t e = 0; e < truth.out.values().size(); ++e) {
        worst = std::max(worst, distance(value_of(truth.out.values()[e]), value_of<512>(coarse.out.values()[e])));
    }
    CHECK(worst > oracle::rounding_bounds(problem, 0x1p-256).out);
}

}  // namespace
}  // namespace dca::numbers
