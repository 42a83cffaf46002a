// How far two honest evaluations of the oracle may lie apart: first-order rounding bounds for inputs in [-1, 1].
#pragma once

#include "reference/oracle/scalar.hpp"
#include "reference/spec/problem.hpp"

namespace dca::oracle {

/// Half the spacing of 1.
template <Scalar S>
inline constexpr double unit_roundoff_of = 0x1p-53;
template <>
inline constexpr double unit_roundoff_of<long double> = 0x1p-64;
template <>
inline constexpr double unit_roundoff_of<Quad> = 0x1p-113;

/// Bounds on the absolute error of any element of out, lse and dq, dk, dv.
struct RoundingBounds {
    double out, lse, gradient;
};

/// In arithmetic of unit roundoff u. Inputs must lie in [-1, 1].
RoundingBounds rounding_bounds(const Problem& problem, double u);

/// Bound on |logit|, which is bilinear in q and k, for q and k in [-1, 1].
double logit_bound(const Problem& problem);

/// Bound on |d^3/dt^3| of one element of out along q + t q', k + t k', v + t v' with all components in [-1, 1], |t|
/// << 1.
double third_derivative_bound(const Problem& problem);

}  // namespace dca::oracle
