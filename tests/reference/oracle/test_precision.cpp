// The same problem in double, long double and binary128: the results differ by what the coarser one rounds, and by no
// less.
#include "tests/reference/oracle/bounds.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

template <Scalar Coarse, Scalar Fine>
void check_precision(const NamedProblem& named) {
    INFO(named.name);
    const Inputs inputs = random_inputs(named.problem, 31);
    const RoundingBounds bound = rounding_bounds(named.problem, unit_roundoff_of<Coarse> + unit_roundoff_of<Fine>);
    const auto coarse = forward<Coarse>(named.problem, inputs);
    const auto fine = forward<Fine>(named.problem, inputs);
    CHECK(worst_difference(coarse.out, fine.out) <= bound.out);
    CHECK(worst_difference(coarse.lse, fine.lse) <= bound.lse);
    const auto coarse_gradients = backward<Coarse>(named.problem, inputs);
    const auto fine_gradients = backward<Fine>(named.problem, inputs);
    CHECK(worst_difference(coarse_gradients.dq, fine_gradients.dq) <= bound.gradient);
    CHECK(worst_difference(coarse_gradients.dk, fine_gradients.dk) <= bound.gradient);
    CHECK(worst_difference(coarse_gradients.dv, fine_gradients.dv) <= bound.gradient);
}

TEST_CASE("double agrees with long double, and long double with binary128, to the precision of the coarser") {
    for (const NamedProblem& named : many_problems(60)) {
        check_precision<double, long double>(named);
        check_precision<long double, Quad>(named);
    }
}

TEST_CASE("each finer scalar type really is finer") {
    const Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 32);
    const auto in_double = forward<double>(p, inputs);
    const auto in_long_double = forward<long double>(p, inputs);
    const auto in_quad = forward<Quad>(p, inputs);
    // 48 elements, each with an error of a few units: the largest is not below half a unit of the smallest results.
    CHECK(worst_difference(in_double.out, in_quad.out) > 0x1p-60);
    CHECK(worst_difference(in_long_double.out, in_quad.out) > 0x1p-71);
    CHECK(worst_difference(in_long_double.out, in_quad.out) < 0x1p-56);
}

TEST_CASE("the value part of dual numbers is the plain computation") {
    for (const NamedProblem& named : feature_problems()) {
        INFO(named.name);
        const Inputs inputs = random_inputs(named.problem, 33);
        const auto plain = forward<Quad>(named.problem, inputs);
        const auto dual = forward<Dual<Quad>>(named.problem, inputs);
        for (std::size_t e = 0; e < plain.out.values().size(); ++e) {
            CHECK(dual.out.values()[e].value == plain.out.values()[e]);
            CHECK(dual.out.values()[e].derivative == 0);
        }
    }
}

}  // namespace
}  // namespace dca::oracle
