// What is rounded is rounded right: the bytes are those of the exact value, and depend on nothing else.
#include <random>

#include "reference/certified/certified.hpp"
#include "reference/certified/kernels/choose.hpp"
#include "reference/certified/rounding.hpp"
#include "reference/math/parallel.hpp"
#include "reference/numbers/interval.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/reference/certified/exact.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using certified::CertifiedResults;

namespace {

using Exact = numbers::Interval<numbers::Mpfr<256>>;

bool same_bytes(const CertifiedResults& a, const CertifiedResults& b) {
    return a.outputs.out == b.outputs.out && a.outputs.lse == b.outputs.lse && a.gradients->dq == b.gradients->dq &&
           a.gradients->dk == b.gradients->dk && a.gradients->dv == b.gradients->dv;
}

template <int Rank>
std::int64_t wrong(const Tensor<double, Rank>& got, const Tensor<Exact, Rank>& exact) {
    std::int64_t count = 0;
    for (std::size_t n = 0; n < got.values().size(); ++n) {
        const auto expected = exact.values()[n].rounds_to();
        // An exact zero reaches the oracle's interval as a number around 0 where its terms cancel.
        const bool right =
            expected ? got.values()[n] == *expected : got.values()[n] == 0 && exact.values()[n].encloses(Exact(0));
        count += !right;
    }
    return count;
}

std::int64_t undecided(const CertifiedResults& results) {
    std::int64_t count = 0;
    for (const auto& [tensor, proof] : results.proofs) {
        count += proof.undecided;
        CHECK(proof.correctly_rounded == (proof.undecided == 0));
    }
    return count;
}

std::int64_t recomputed(const CertifiedResults& results) {
    std::int64_t count = 0;
    for (const auto& [tensor, proof] : results.proofs) count += proof.recomputed;
    return count;
}

}  // namespace

TEST_CASE("rounds_to answers only where all numbers of the interval round to one double") {
    using certified::rounds_to;
    CHECK(rounds_to(1, 0, 0x1p-60) == 1.0);
    CHECK(rounds_to(1, 0x1p-53, 0) == 1.0);        // an exact tie goes to even
    CHECK_FALSE(rounds_to(1, 0x1p-53, 0x1p-100));  // a tie that may be none
    CHECK(rounds_to(1, 0x1p-54, 0x1p-55) == 1.0);
    CHECK_FALSE(rounds_to(1, 0x1p-54, 0x1p-53));
    CHECK_FALSE(rounds_to(1, -0x1p-54, 0x1p-100));  // below 1 doubles lie half as far apart
    CHECK_FALSE(rounds_to(0, 0, 0x1p-1074));
    CHECK(rounds_to(0, 0, 0) == 0.0);
    CHECK_FALSE(rounds_to(3, 0, std::numeric_limits<double>::infinity()));

    std::mt19937_64 engine(21);
    int answered = 0;
    for (int trial = 0; trial < 20000; ++trial) {
        const auto unit = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
        const double hi = 1 + unit();
        // Near the middle between hi and a neighbour, where the question is hard.
        const double lo = (engine() % 2 == 0 ? 1 : -1) * (0x1p-53 - std::ldexp(unit(), -54 - int(engine() % 52)));
        if (hi + lo != hi) continue;
        const double radius = std::ldexp(unit(), -54 - int(engine() % 52));
        numbers::BigFloat low(300), high(300);
        mpfr_add_d(low.get(), test::sum_of(hi, lo).get(), -radius, MPFR_RNDN);
        mpfr_add_d(high.get(), test::sum_of(hi, lo).get(), radius, MPFR_RNDN);
        const double a = mpfr_get_d(low.get(), MPFR_RNDN), b = mpfr_get_d(high.get(), MPFR_RNDN);
        const auto answer = rounds_to(hi, lo, radius);
        answered += answer.has_value();
        CHECK((!answer || (a == b && *answer == a)));
    }
    CHECK(answered > 1000);
}

TEST_CASE("certified: every element of random problems is the exact value rounded once") {
    constexpr double logit_scales[] = {1.0, 0.3, 2.0};
    std::int64_t elements = 0;
    for (std::uint64_t seed = 101; seed <= 125; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, seed, logit_scales[seed % 3]);
        const auto exact = oracle::forward<Exact>(problem, inputs);
        const auto gradients = oracle::backward<Exact>(problem, inputs);
        const CertifiedResults got = certified::certified(problem, inputs);
        CHECK(undecided(got) == 0);
        CHECK(wrong(got.outputs.out, exact.out) == 0);
        CHECK(wrong(got.gradients->dq, gradients.dq) == 0);
        CHECK(wrong(got.gradients->dk, gradients.dk) == 0);
        CHECK(wrong(got.gradients->dv, gradients.dv) == 0);
        CHECK(wrong(got.outputs.lse, exact.lse) == 0);
        for (const auto& [tensor, proof] : got.proofs) elements += proof.elements;
    }
    CHECK(elements > 10000);
}

TEST_CASE("certified: a larger radius sends elements to MPFR and changes no byte") {
    std::int64_t sent = 0;
    for (std::uint64_t seed = 201; seed <= 206; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, seed);
        const CertifiedResults plain = certified::certified(problem, inputs);
        const CertifiedResults some = certified::certified(problem, inputs, {.radius_factor = 0x1p30});
        const CertifiedResults all = certified::certified(problem, inputs, {.radius_factor = 0x1p45});
        CHECK(same_bytes(plain, some));
        CHECK(same_bytes(plain, all));
        CHECK(undecided(plain) + undecided(some) + undecided(all) == 0);
        CHECK(recomputed(plain) <= recomputed(some));
        CHECK(recomputed(some) <= recomputed(all));
        for (const auto& [tensor, proof] : plain.proofs) {
            CHECK(proof.error_radius == all.proofs.at(tensor).error_radius);
        }
        sent += recomputed(all);
    }
    CHECK(sent > 2000);
}

TEST_CASE("certified: what the budget does not pay for stays undecided, and is said to be") {
    const Problem problem = test::plain_problem(20, {9, 3});
    const Inputs inputs = test::random_inputs(problem, 5);
    const CertifiedResults got = certified::certified(problem, inputs, {.radius_factor = 0x1p45, .budget = 10});
    CHECK(undecided(got) == recomputed(got));
    CHECK(undecided(got) > 100);
    const auto exact = oracle::forward<Exact>(problem, inputs);
    for (std::size_t n = 0; n < got.outputs.out.values().size(); ++n) {
        const double value = got.outputs.out.values()[n], radius = got.proofs.at("out").error_radius;
        CHECK(Exact(numbers::Mpfr<256>(value - radius), numbers::Mpfr<256>(value + radius))
                  .encloses(exact.out.values()[n]));
    }
}

TEST_CASE("certified: the same bytes for 1, 2 and 5 threads and for every instruction set") {
    const int before = reference::thread_count();
    Problem problem = test::plain_problem(300, {110, 37}, 4, 2, 20);
    problem.shape.head_dim_v = 33;
    problem.shape.batch = 2;
    const Inputs inputs = test::random_inputs(problem, 99);
    reference::use_threads(1);
    const CertifiedResults expected = certified::certified(problem, inputs);
    for (const int threads : {2, 5}) {
        CAPTURE(threads);
        reference::use_threads(threads);
        const CertifiedResults again = certified::certified(problem, inputs);
        CHECK(same_bytes(again, expected));
        CHECK(again.proofs == expected.proofs);
    }
    for (const certified::Kernels* set : certified::available()) {
        CAPTURE(set->name);
        certified::use(*set);
        const CertifiedResults again = certified::certified(problem, inputs);
        CHECK(same_bytes(again, expected));
        CHECK(again.proofs == expected.proofs);
    }
    certified::use(*certified::available().front());
    reference::use_threads(before);
}
