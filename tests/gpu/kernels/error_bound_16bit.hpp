// How far the bf16 and f16 kernels may be from the definition, element by element, and how far they are.
#pragma once

#include <cstdint>

#include "reference/spec/bundles.hpp"

namespace dca::test {

/// The largest errors relative to their bound: NaN or above 1 where something is wrong.
struct WorstError16 {
    double out = 0, lse = 0;
    std::int64_t compared = 0;  ///< elements of both
};

/// Holds outputs over the keys of `modes` (gpu::mode_all: Def.6, one mode: Def.7) against the oracle in double.
///
/// The bound, with u the roundoff of an element (2^-8 bf16, 2^-11 f16), w = 2^-24 that of float, and t = 2^-25 in f16,
/// half its smallest number (0 in bf16, whose smallest number is float's):
///  * Turned channels of q~ are computed in float, 8 w of what their two products can be (table, products, sum), and
///    rounded: u, or t where they are tiny; k~ the same. With A_j the sum over these channels of what |q~| |k~| can be
///    and B_j that of |q~| + |k~|, the product of the two errors included, a logit is off by tau ((2 u + u^2 + 17 w)
///    A_j + 2 t B_j). Other channels are exact: without rope the bound is sharp enough to miss a single key among
///    hundreds. The d additions cost 2 w each, of the sum over all channels: PTX leaves order and rounding open, and
///    tensor cores truncate.
///  * tau log2 e is rounded, the fused multiply-add that shifts a logit too: 2 w |s_j| + w (max s - s_j). 2^x is off by
///  2^-22
///    (ex2.approx), that is 4 w: e_j is the sum of these and of tau (...).
///  * So p_j is off by a factor of at most exp(e_j + e), e = ln sum_j p_j exp(e_j), whatever the maximum: it cancels.
///  * p is rounded before it meets v, but not in the sum: u p_j, or t times the largest p.
///  * With n keys: n additions of 2 w in out, n of w in the sum. The maximum changes at most once per tile, hence n
///  times; each
///    change costs a factor of 6 w (2^x and two products): 12 n w in all, and 16 w for the quotient and products.
///  * out is rounded: u |out|, or t.
/// So out is off by sum_j p_j |v_j - out| (exp(e_j + e) - 1) + (u + (12 n + 16) w) exp(2 e) sum_j p_j |v_j| + t max p
/// sum |v_j|
/// + u |out| + t, and lse by e + (8 n + 16) w + 4 w |lse|. Where p flushes to zero below 2^-126, 1e-30 covers it.
[[nodiscard]] WorstError16 worst_error_16bit(const Problem& problem, const Inputs& inputs, const Outputs& got,
                                             std::uint32_t modes);

}  // namespace dca::test
