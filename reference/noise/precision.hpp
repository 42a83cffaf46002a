// The precisions an honest kernel of each dtype works in: the constants of the error model (docs/error_model.md section
// 2).
#pragma once

#include "reference/spec/problem.hpp"

namespace dca::reference::noise {

/// Unit roundoffs bound one rounding; divided by sqrt 3 they are its standard deviation at the worst mantissa. Floors
/// are standard deviations of the absolute error of a result too small for the format.
struct Precision {
    double operand;        ///< u of P and dS, the operands an attention kernel rounds between its two products
    double operand_floor;  ///< of P relative to its row maximum, of the normalised P of the backward pass, and of dS
    double rotated;        ///< variance of an element of q~ or k~, in units of its rotary pair's mean square
    double table;          ///< variance of the relative error that rounding mscale leaves in every element of q~ and k~
    double output;         ///< u of out, dq, dk, dv and of their separately rounded parts
    double output_floor;
    double accumulator;  ///< u of sums, of exp and its argument, and of lse
    double accumulator_floor;
    double angle;  ///< u of the rotary angles
};

/// Of the problem's dtype. Where the dialect's own code works in float32 under f64 activations (its angles, and with
/// them LSE and softmax, H33), so does an honest kernel.
[[nodiscard]] Precision precision_of(const Problem& problem);

}  // namespace dca::reference::noise
