// The interval of a median from the order of the measured values: exact whatever the law of their noise.
#pragma once

#include <optional>
#include <vector>

#include "verify/measure/series.hpp"

namespace dca::measure {

/// Repeats that an interval with this error on each side needs: 2^-k <= side.
[[nodiscard]] int least_repeats(double side);

/// The median with the j-th smallest and the j-th largest value, j as large as P(Binomial(k, 1/2) < j) <= side allows.
/// None where there are fewer than least_repeats(side) values.
[[nodiscard]] std::optional<Estimate> median_interval(std::vector<double> values, double side);

}  // namespace dca::measure
