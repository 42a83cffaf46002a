// The one rounding, and what is proven of it.
#pragma once

#include <optional>

#include "reference/certified/certified.hpp"

namespace dca::certified {

/// The double that every number within `radius` of hi + lo rounds to (nearest, ties to even), nothing if there are two.
/// Precondition: hi is hi + lo rounded.
[[nodiscard]] std::optional<double> rounds_to(double hi, double lo, double radius);

/// Rounds every element; recomputes in MPFR those for which rounds_to has no answer.
[[nodiscard]] CertifiedResults round_once(const Problem& problem, const Inputs& inputs, const Unrounded& unrounded,
                                          const Options& options);

}  // namespace dca::certified
