// The precisions of a profile as numbers: the constants of the error model (docs/error_model.md section 2).
#pragma once

#include "reference/kernel_profile.hpp"

namespace dca::reference::noise {

/// What an average mantissa makes of the variance u^2 / 3 of the worst one: 1/2 where mantissas are uniform, 3 / (8 ln
/// 2) = 0.541 where their logarithms are; between the two. Errors whose size is known are divided by it in
/// expectations, so that they stand beside u^2 / 3 and the ratio of a healthy kernel is sqrt(0.52) = 0.72.
inline constexpr double typical_mantissa = 0.52;

/// Unit roundoffs bound one rounding; divided by sqrt 3 they are its standard deviation at the worst mantissa. Floors
/// are standard deviations of the absolute error of a result too small for the format.
struct Precision {
    double operand;           ///< u of P and dS, the operands an attention kernel rounds between its two products
    double operand_floor;     ///< of P relative to its row maximum, of the normalised P of the backward pass, and of dS
    double smallest_operand;  ///< smallest normal number of P and dS
    double rotated;           ///< variance of an element of q~ or k~, in units of its rotary pair's mean square
    double table;   ///< variance of the relative error that rounding mscale leaves in every element of q~ and k~
    double output;  ///< u of out, dq, dk, dv and of their separately rounded parts
    double output_floor;
    double accumulator;  ///< u of the sums of products
    double sum_floor;    ///< of every partial sum of a 16-bit accumulator; 0 for the wide ones, which never get there
    double statistics;   ///< u of exp and its argument, of row sums, D, and of lse
    double accumulator_floor;
    double angle;  ///< u of the rotary angles, 0 where they are exact
};

[[nodiscard]] Precision precision_of(const Problem& problem, const KernelProfile& profile);
/// Of family_profile.
[[nodiscard]] Precision precision_of(const Problem& problem);

/// Variance of the rounding of `value` to the format, its spacing known: spacing^2 / 12 over typical_mantissa.
[[nodiscard]] double known_rounding(double value, Dtype format);

/// Expected square of the error of `value` when it is written with an error of `variance` already in it, over
/// typical_mantissa: a value on the grid of the format, or nearly so, comes back to it and loses that error.
[[nodiscard]] double written_variance(double value, double variance, Dtype format);

}  // namespace dca::reference::noise
