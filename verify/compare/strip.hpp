// The inner loop of the comparison: a run of elements, eight at a time, in double; written once, compiled for several
// instruction sets and chosen at run time.
#pragma once

#include <span>

#include "verify/compare/strip_kernel.hpp"

namespace dca::verify {

/// The fastest kernel this processor has.
[[nodiscard]] StripKernel strip_kernel();
/// Every kernel this processor has, fastest first; the last one always works.
[[nodiscard]] std::span<const StripKernel> strip_kernels();

/// Octave of a ratio: counts[octave_of(ratio)] of a RatioHistogram.
[[nodiscard]] std::size_t octave_of(double ratio);

}  // namespace dca::verify
