// Variance of the score gradient ds = p (dp - delta) of one pair, shared by dq and dk (docs/error_model.md section 5).
#pragma once

#include <algorithm>
#include <cmath>

#include "reference/noise/pair_noise.hpp"
#include "reference/noise/row_margin.hpp"

namespace dca::reference::noise {

/// Errors of one ds, or of one p that multiplies dout.
struct ScoreVariance {
    double rounded;  ///< roundings of the operand: each is bounded, and its own in every pair
    double carried;  ///< what the logit, dp, lse and delta carry into it
    [[nodiscard]] double sum() const { return rounded + carried; }
};

/// rounded: roundings of the operand, and carried: variances relative to x^2; apart: absolute. The rounding to the
/// operand's own type is part of `rounded` for a family, to which a subnormal operand's floor is added; expectations
/// know x, and so its spacing in a type scaled by `scale`.
[[nodiscard]] inline ScoreVariance score_variance(const Call& call, double x, double rounded, double carried,
                                                  double apart, double scale) {
    const double x2 = x * x, floor = call.precision.operand_floor;
    if (!call.expectation()) return {x2 * rounded + std::min(x2, floor * floor), x2 * carried + apart};
    if (call.precision.operand == 0) return {x2 * rounded, x2 * carried + apart};
    // A p of almost 1 comes back to 1.
    if (x > 0.9 && x <= 1) {
        const double written = written_variance(x * scale, x2 * carried * scale * scale, call.profile.p);
        return {x2 * rounded, written / (scale * scale) + apart};
    }
    const double own = std::min(known_rounding(x * scale, call.profile.p) / (scale * scale), x2 / typical_mantissa);
    return {x2 * rounded + own, x2 * carried + apart};
}

/// Variance of rounding an operand relative to its square, as far as `rounded` of score_variance has it.
[[nodiscard]] inline double counted_operand_variance(const Call& call) {
    return call.expectation() ? 0 : call.operand_variance();
}

/// Roundings of p (dp - delta) before it becomes an operand, relative to its square: a family counts them with exp.
[[nodiscard]] inline double score_roundings(const Call& call) {
    return call.expectation() ? 2 * call.statistics_variance() : 0;
}

/// Variance of dp = dout . v, accumulated; the arguments before dp are squared norms.
[[nodiscard]] inline double dp_variance(const Call& call, double dout_norm, double v_norm, double dp) {
    const KernelProfile& profile = call.profile;
    return call.accumulator_variance() *
               sum_variance(profile, dout_norm * v_norm, dp, call.context.head_dim_v,
                            exact_product(profile.input, profile.input, profile.accumulator)) +
           call.sum_floor_variance(call.context.head_dim_v);
}

/// A probability too small for the accumulator's type, times what ds multiplies it with.
[[nodiscard]] inline double underflow_variance(const Call& call, double p, double factor) {
    const double lost = std::min(p, call.precision.accumulator_floor);
    return lost * lost * factor * factor;
}

/// A rotated operand was rounded itself, which the product with ds sees once more; 0 where nothing is rotated, and in
/// expectations, which count it by pair and position (KeyRows::rounded, QueryRows::rounded).
[[nodiscard]] inline double rotated_operand_variance(const Call& call) {
    return call.energy.pairs() > 0 && !call.expectation() ? call.precision.rotated : 0;
}

/// How the energy of one row of a gradient is shared among its pairs.
struct ScoreShares {
    double rounded = 0;
    Shares carried;

    void add(const ScoreVariance& variance, double norm) {
        rounded += variance.rounded * norm;
        carried.add(variance.carried * norm);
    }
    /// Share of the leading eigenvalue in the row's energy. Roundings are bounded: a single one cannot break the row
    /// line, so only channels that move together count; what is carried in from one pair moves all channels.
    [[nodiscard]] double leading(double channel_concentration, double lost) const {
        const double total = rounded + carried.sum;
        if (!(total > 0)) return 0;
        const double of_carried = std::min(1.0, carried.concentration(lost) + channel_concentration);
        return (rounded * channel_concentration + carried.sum * of_carried) / total;
    }
};

}  // namespace dca::reference::noise
