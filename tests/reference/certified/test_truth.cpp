// The proof, tested where it is made: the exact value of every element lies within the radius of its double-double
// before anything is rounded, on random problems of every feature. The exact value comes from the oracle in intervals
// of MPFR.
#include <cmath>

#include "reference/certified/certified.hpp"
#include "reference/numbers/interval.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

using Exact = numbers::Interval<numbers::Mpfr<256>>;

struct Seen {
    std::int64_t elements = 0, outside = 0;
    double widest = 0;    ///< radius relative to the largest element of the tensor
    double tightest = 0;  ///< the largest error in units of its radius
};

/// Error of hi + lo against the interval: an upper bound.
double error_of(double hi, double lo, const Exact& exact) {
    numbers::BigFloat distance(600), other(600);
    const auto away = [&](numbers::BigFloat& x, const numbers::Mpfr<256>& end) {
        mpfr_set_d(x.get(), hi, MPFR_RNDN);
        mpfr_add_d(x.get(), x.get(), lo, MPFR_RNDU);
        mpfr_sub(x.get(), x.get(), end.data(), MPFR_RNDA);
        mpfr_abs(x.get(), x.get(), MPFR_RNDN);
    };
    away(distance, exact.lower());
    away(other, exact.upper());
    return std::max(mpfr_get_d(distance.get(), MPFR_RNDU), mpfr_get_d(other.get(), MPFR_RNDU));
}

template <int Rank>
Seen look(const certified::Bounded<Rank>& got, const Tensor<Exact, Rank>& exact) {
    Seen seen;
    double largest = 0;
    for (const double x : got.hi.values()) {
        if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
    }
    for (std::size_t n = 0; n < got.hi.values().size(); ++n) {
        const double hi = got.hi.values()[n], radius = got.radius.values()[n];
        ++seen.elements;
        if (std::isinf(hi)) {
            seen.outside += !(exact.values()[n].upper().to_double() == hi && radius == 0);
            continue;
        }
        const double error = error_of(hi, got.lo.values()[n], exact.values()[n]);
        seen.outside += !(error <= radius);
        if (radius > 0) seen.tightest = std::max(seen.tightest, error / radius);
        if (largest > 0) seen.widest = std::max(seen.widest, radius / largest);
    }
    return seen;
}

}  // namespace

namespace {

/// Every element of every tensor within its radius, and the radius below `widest` of the largest element.
void check_truth(const Problem& problem, const Inputs& inputs, double widest) {
    const auto exact = oracle::forward<Exact>(problem, inputs);
    const auto gradients = oracle::backward<Exact>(problem, inputs);
    const certified::Unrounded got = certified::compute(problem, inputs);
    const auto check = [&](const char* name, const Seen& seen) {
        INFO(name << ": widest radius " << seen.widest << ", largest error / radius " << seen.tightest);
        CHECK(seen.outside == 0);
        CHECK(seen.widest < widest);
    };
    check("out", look(got.out, exact.out));
    check("lse", look(got.lse, exact.lse));
    check("dq", look(*got.dq, gradients.dq));
    check("dk", look(*got.dk, gradients.dk));
    check("dv", look(*got.dv, gradients.dv));
}

}  // namespace

TEST_CASE("certified: the exact value lies within the radius before rounding, on random problems") {
    constexpr double logit_scales[] = {1.0, 0.3, 2.0};
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        check_truth(problem, test::random_inputs(problem, seed, logit_scales[seed % 3]), 0x1p-75);
    }
}

TEST_CASE("certified: and where large logits that differ little make the errors of the weights the largest part") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Problem problem = test::plain_problem(24, {10, 3}, 2, 1, 8);
        problem.rope.inv_freq = {1e-6, 2e-6, 3e-6, 4e-6};
        Inputs inputs = test::random_inputs(problem, seed);
        INFO("seed " << seed);
        for (double& x : inputs.q.values()) x = 100 + 0.01 * x;
        for (double& x : inputs.k.values()) x = 100 + 0.01 * x;  // logits near 28000, some units apart
        check_truth(problem, inputs, 0x1p-60);
    }
}

TEST_CASE("certified: and for a key whose own dP is the mean of all, so that only the error of the mean is left") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Problem problem = test::plain_problem(3, {8, 3}, 1, 1, 8);
        problem.shape.seq_q = 1;
        problem.shape.head_dim_v = 1;
        problem.rope.inv_freq = {1e-9, 2e-9, 3e-9, 4e-9};
        Inputs inputs = test::random_inputs(problem, seed);
        INFO("seed " << seed);
        for (double& x : inputs.q.values()) x = 100 + 1e-2 * x;
        for (double& x : inputs.k.values()) x = 100 + 1e-6 * x;  // three nearly equal logits near 28000
        for (std::int64_t key = 0; key < 3; ++key) inputs.v(0, key, 0, 0) = static_cast<double>(key - 1);
        inputs.dout->operator()(0, 0, 0, 0) = 1;
        check_truth(problem, inputs, 0x1p-40);
    }
}
