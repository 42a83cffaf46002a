// How far the f64 kernel may be from the definition, element by element, and how far it is.
#pragma once

#include <cstdint>

#include "reference/spec/bundles.hpp"

namespace dca::test {

/// The largest errors. Of the bound: NaN or above 1 where something is wrong. Of roundoffs: in units of
/// 2^-53 sum_j p_j |v_j| (out), and of 2^-53 (lse, which is a logit's error).
struct WorstError {
    double of_bound = 0;
    double out_roundoffs = 0, lse_roundoffs = 0;
    std::int64_t compared = 0;  ///< elements
};

/// Holds outputs over the keys of `modes` (gpu::mode_all: Def.6, one mode: Def.7) against the oracle in long double.
///
/// The bound, u = 2^-53, to first order, for a row with keys j = 1 .. n in T key tiles:
///  * an element of q~ is two products of rounded cos and sin, one of them rounded, and their rounded sum: at most
///    3 u (|x cos| + |y sin|); k~ the same; mscale enters cos and sin. With A_j = sum over channels of what |q~| and
///    |k~| can be, the logit is off by (6 + d) u tau A_j: the products' d additions may be in any order (the PTX manual
///    leaves it open), zeros of padded channels add exactly. Over a pair of channels |q~_c| |k~_c| sums to at most
///    2 mscale^2 |(q_a, q_b)| |(k_a, k_b)|.
///  * p_j = exp(s_j - m): the fused multiply-add rounds s_j - m, u |s_j - m| <= u R with R the range of the row's
///    logits from the largest to where p_j counts; exp is within 2 u (CUDA's: 1 ulp).
///  * the running maximum changes at most T times; each time what is summed takes a factor exp(m - m'), 2 u and the
///    rounding of m - m', and a rounded product: 3 T u, and u R for all of them together, since m only rises.
///    m itself may be anything: it cancels.
///  * a sum over keys: n u; the quotient 2 u.
/// So out is off by sum_j p_j |v_j| (e_j + e + (2 n + 6 T + 2) u) with e_j = u ((6 + d) tau A_j + 2 |s_j - max| + 2)
/// and e = sum_j p_j e_j; T <= n. lse: e + (n + 3 T) u, log within 2 u log n, m = tau max(q~ k~) rounded and the sum
/// rounded: 2 u |lse| + u log n.
[[nodiscard]] WorstError worst_error_f64(const Problem& problem, const Inputs& inputs, const Outputs& got,
                                         std::uint32_t modes);

}  // namespace dca::test
