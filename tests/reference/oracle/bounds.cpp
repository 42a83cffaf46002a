#include "tests/reference/oracle/bounds.hpp"

#include <algorithm>
#include <cmath>

#include "reference/oracle/frequencies.hpp"

namespace dca::oracle {
namespace {

/// Bound on |tau| times an element of a turned key: mscale^2 (|cos| + |sin|) <= 2 mscale^2 on rotary dims, 1 elsewhere.
double scaled_key_bound(const Problem& problem) {
    const double m = mscale(problem.rope);
    return std::abs(problem.resolved_softmax_scale()) * std::max(1.0, 2 * m * m);
}

}  // namespace

double logit_bound(const Problem& problem) {
    return static_cast<double>(problem.shape.head_dim) * scaled_key_bound(problem);
}

// A turned key element takes 4 roundings, the logit d more for the dot product and one for the scale, so with A the
// bound on |s|: |error(s)| <= (d + 8) A u. P inherits twice that and the n + 8 roundings of exp, sum and quotient,
// relative:
//     rho = 2 (d + 8) A u + (n + 8) u.
// out: a mean of |v| <= 1 with n more roundings. lse: the error of s, n + 4 roundings of the sum, one of the result.
// dP = dO . v: |dP| <= e = head_dim_v, error e^2 u. Delta likewise plus e (rho + n u). Hence dS, of size 2 e P, is
// wrong by at most P e (4 rho + 4 (e + n) u). dq sums that over keys (sum of P is 1) times a turned key; dk sums over
// up to `rows` = seq_q G rows, each P <= 1; dv sums P dO over as many. The common bound below takes the largest factor
// of each and doubles the result for the second-order terms left out.
RoundingBounds rounding_bounds(const Problem& problem, double u) {
    const double A = logit_bound(problem);
    const auto d = static_cast<double>(problem.shape.head_dim), e = static_cast<double>(problem.shape.head_dim_v);
    const auto n = static_cast<double>(problem.shape.seq_k);
    const double rows = static_cast<double>(problem.shape.seq_q * (problem.shape.heads_q / problem.shape.heads_kv));
    const double rho = 2 * (d + 8) * A * u + (n + 8) * u;
    const double gradient =
        rows * std::max(1.0, scaled_key_bound(problem)) * e * (6 * rho + 8 * (e + n + rows + d) * u);
    return {2 * (rho + n * u), 2 * ((d + 8) * A + n + 4 + A + std::log(n)) * u, 2 * gradient};
}

// With B = 2A, a bound on |s'| and on |s''| (s is bilinear in q and k, so s''' = 0), and ln P = s - lse, where
//     lse' = E s',   lse'' = E s'' + Var s',   lse''' = 3 Cov(s', s'') + kappa_3(s'):
//     |ln P'| <= 2B,   |ln P''| <= 2B + B^2,   |ln P'''| <= 6 B^2 + 8 B^3.
// P'''/P = g1^3 + 3 g1 g2 + g3 and P''/P = g1^2 + g2, and out = sum P v with |v|, |v'| <= 1, so
//     |out'''| <= (8 B^3 + 6 B (2B + B^2) + 6 B^2 + 8 B^3) + 3 (4 B^2 + 2B + B^2).
double third_derivative_bound(const Problem& problem) {
    const double B = 2 * logit_bound(problem);
    return 22 * B * B * B + 33 * B * B + 6 * B;
}

}  // namespace dca::oracle
