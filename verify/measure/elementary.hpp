// Logarithm, exponential and power from additions, multiplications and divisions alone, so that an interval has the
// same bits whatever the C library. Errors of a few ulp: far below any noise that is measured here.
#pragma once

namespace dca::measure {

/// Natural logarithm of a positive finite number.
[[nodiscard]] double log_of(double x);

/// e^x for |x| < 700.
[[nodiscard]] double exp_of(double x);

/// x^p for x > 0.
[[nodiscard]] double power_of(double x, double p);

}  // namespace dca::measure
