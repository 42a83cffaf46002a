// When to stop repeating, and whether the repeats of one size can be believed.
#pragma once

#include <string>
#include <vector>

#include "verify/measure/series.hpp"

namespace dca::measure {

/// The median and the interval of order_statistics.hpp that holds the true one with a probability of at least 0.9,
/// as all intervals of docs/measure.md do. Below five values there is none: low is 0 and high infinite. Precondition:
/// at least one value, none NaN.
[[nodiscard]] Estimate median_interval(std::vector<double> values);

/// Half the width of that interval as a share of the median; infinite below five values.
[[nodiscard]] double relative_width(const std::vector<double>& values);

/// Processor seconds of each repeat, or seconds on the GPU where all have them: what stopping is decided by, because
/// others on the machine disturb it least.
[[nodiscard]] std::vector<double> steadiest_times(const Point& point);

/// Why the steadiest times of a point are not to be believed, one clause, or nothing: its later repeats all took
/// longer, or all shorter, than its earlier ones, and by more than a tenth. What others took of the wall time is told
/// apart, by Repeat::stolen.
[[nodiscard]] std::string disturbance(const Point& point);

}  // namespace dca::measure
