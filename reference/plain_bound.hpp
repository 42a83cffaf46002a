// How far the results of the double path (forward.hpp, backward.hpp) can be from the exact ones: a worst case over all
// rounding errors, from row norms of the inputs. docs/error_model.md derives it.
#pragma once

#include <limits>
#include <optional>

#include "reference/spec/bundles.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// |computed - exact| <= radius for every element of a tensor; infinite and not proven where nothing is known.
struct ErrorRadius {
    double radius = std::numeric_limits<double>::infinity();
    bool proven = false;
};

struct PlainBounds {
    ErrorRadius out, lse;
    ErrorRadius dq, dk, dv;  ///< infinite without inputs.dout
};

/// The bounds for outputs = forward(problem, inputs) and backward of them. Proven where the dialect computes in real
/// numbers what the definition says, with its own positions or not: one softmax, exact angles, no temperature, no
/// emulated rounding; gradients where they are those of one softmax. Elsewhere infinite, and so where the inputs are so
/// large (2^60) or the logits so many roundoffs wide (2^-10) that the first order does not govern.
/// Takes about 0.6 of a backward pass if inputs.dout is present.
[[nodiscard]] PlainBounds plain_bounds(const Problem& problem, const Inputs& inputs, const Outputs& outputs);

}  // namespace dca::reference
