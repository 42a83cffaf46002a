// backward() against two derivatives of forward() that know nothing of its formula: dual numbers and central
// differences.
#include "tests/reference/oracle/bounds.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

/// A direction in the space of q, k and v.
struct Direction {
    Tensor4 q, k, v;
};

Direction random_direction(const Problem& problem, std::uint64_t seed) {
    Inputs random = random_inputs(problem, seed);
    return {std::move(random.q), std::move(random.k), std::move(random.v)};
}

template <Scalar Base>
Tensor<Dual<Base>, 4> along(const Tensor4& value, const Tensor4& direction) {
    Tensor<Dual<Base>, 4> dual(value.extents());
    for (std::size_t e = 0; e < value.values().size(); ++e) {
        dual.values()[e] = {Base(value.values()[e]), Base(direction.values()[e])};
    }
    return dual;
}

template <Scalar Base>
Quad dual_derivative(const Problem& problem, const Inputs& inputs, const Direction& direction) {
    const TypedInputs<Dual<Base>> moving{
        along<Base>(inputs.q, direction.q), along<Base>(inputs.k, direction.k), along<Base>(inputs.v, direction.v), {}};
    const auto result = forward<Dual<Base>>(problem, moving);
    Quad derivative = 0;
    for (std::size_t e = 0; e < result.out.values().size(); ++e) {
        derivative += Quad(result.out.values()[e].derivative) * Quad(inputs.dout->values()[e]);
    }
    return derivative;
}

/// Each element of the gradient within its bound, times a direction of components at most 1; as much again for the
/// other side, which adds up the same products in another order.
double directional_bound(const Problem& problem, double u) {
    const Shape& s = problem.shape;
    const std::int64_t elements =
        element_count(q_extents(s)) + element_count(k_extents(s)) + element_count(v_extents(s));
    return 2 * static_cast<double>(elements) * rounding_bounds(problem, u).gradient;
}

template <Scalar Base>
void check_against_dual_numbers(const NamedProblem& named) {
    INFO(named.name);
    const Problem& problem = named.problem;
    const Inputs inputs = random_inputs(problem, 11);
    const auto gradients = backward<Base>(problem, inputs);
    const double bound = directional_bound(problem, unit_roundoff_of<Base>);
    const Direction full = random_direction(problem, 12);
    const Tensor4 no_q(full.q.extents()), no_k(full.k.extents()), no_v(full.v.extents());
    const Quad by_q = dual_derivative<Base>(problem, inputs, {full.q, no_k, no_v});
    const Quad by_k = dual_derivative<Base>(problem, inputs, {no_q, full.k, no_v});
    const Quad by_v = dual_derivative<Base>(problem, inputs, {no_q, no_k, full.v});
    CHECK(fabsq(inner(gradients.dq, full.q) - by_q) <= bound);
    CHECK(fabsq(inner(gradients.dk, full.k) - by_k) <= bound);
    CHECK(fabsq(inner(gradients.dv, full.v) - by_v) <= bound);
}

TEST_CASE("backward agrees with dual numbers over binary128") {
    for (const NamedProblem& named : many_problems(150)) check_against_dual_numbers<Quad>(named);
}

TEST_CASE("backward agrees with dual numbers over long double") {
    for (const NamedProblem& named : feature_problems()) check_against_dual_numbers<long double>(named);
}

/// Step of the central differences. The truncation error, h^2 / 6 times the third derivative, then balances the
/// rounding error of the two values over the step, about 2^-113 / h = 2^-76.
constexpr double h = 0x1p-37;

TypedOutputs<Quad> forward_moved(const Problem& problem, const Inputs& inputs, const Direction& direction, Quad step) {
    TypedInputs<Quad> moved = convert<Quad>(inputs);
    const auto move = [&](Tensor<Quad, 4>& tensor, const Tensor4& by) {
        for (std::size_t e = 0; e < by.values().size(); ++e) tensor.values()[e] += step * by.values()[e];
    };
    move(moved.q, direction.q);
    move(moved.k, direction.k);
    move(moved.v, direction.v);
    return forward<Quad>(problem, moved);
}

TEST_CASE("backward agrees with central differences in binary128") {
    for (const NamedProblem& named : many_problems(60)) {
        INFO(named.name);
        const Problem& problem = named.problem;
        const Inputs inputs = random_inputs(problem, 21);
        const Direction direction = random_direction(problem, 22);
        const Quad ahead = inner(forward_moved(problem, inputs, direction, h).out, *inputs.dout);
        const Quad behind = inner(forward_moved(problem, inputs, direction, -h).out, *inputs.dout);
        const Quad difference = (ahead - behind) / (2 * Quad(h));
        const auto gradients = backward<Quad>(problem, inputs);
        const Quad derivative =
            inner(gradients.dq, direction.q) + inner(gradients.dk, direction.k) + inner(gradients.dv, direction.v);
        // Every element of out contributes with |dout| <= 1.
        const auto elements = static_cast<double>(element_count(out_extents(problem.shape)));
        const double bound =
            elements * (h * h / 6 * third_derivative_bound(problem) + rounding_bounds(problem, 0x1p-113).out / h);
        CHECK(fabsq(difference - derivative) <= bound);
        // A wrong formula is wrong by a good part of the derivative; the bound must be far below it to tell.
        if (derivative != 0) CHECK(bound <= 1e-6 * fabsq(derivative));
    }
}

TEST_CASE("the derivative of lse by dual numbers agrees with central differences") {
    for (const NamedProblem& named : feature_problems()) {
        INFO(named.name);
        const Problem& problem = named.problem;
        const Inputs inputs = random_inputs(problem, 23);
        const Direction direction = random_direction(problem, 24);
        const TypedInputs<Dual<Quad>> moving{along<Quad>(inputs.q, direction.q),
                                             along<Quad>(inputs.k, direction.k),
                                             along<Quad>(inputs.v, direction.v),
                                             {}};
        const auto dual = forward<Dual<Quad>>(problem, moving).lse;
        const auto ahead = forward_moved(problem, inputs, direction, h).lse;
        const auto behind = forward_moved(problem, inputs, direction, -h).lse;
        // |lse'''| <= 6 B^2 + 8 B^3 in the notation of bounds.cpp, which the bound for out exceeds.
        const double bound = h * h / 6 * third_derivative_bound(problem) + rounding_bounds(problem, 0x1p-113).lse / h;
        for (std::size_t e = 0; e < dual.values().size(); ++e) {
            if (isinfq(ahead.values()[e])) {
                CHECK(dual.values()[e].derivative == 0);
            } else {
                const Quad difference = (ahead.values()[e] - behind.values()[e]) / (2 * Quad(h));
                CHECK(fabsq(dual.values()[e].derivative - difference) <= bound);
            }
        }
    }
}

}  // namespace
}  // namespace dca::oracle
