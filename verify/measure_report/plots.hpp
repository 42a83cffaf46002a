// The pictures of a measurement.
#pragma once

#include <optional>

#include "verify/measure/result.hpp"
#include "verify/picture/log_plot.hpp"

namespace dca::measure {

/// The points of a fit with the intervals of their medians (rings where they are not to be believed), the fitted line
/// with its interval, and the limits of those claims on the same ladder and quantity that are a power of n or bytes per
/// token. Nothing where nothing was measured.
[[nodiscard]] std::optional<picture::LogPlot> plot(const MeasureReport& report, const FitReport& fit);

/// What is seen, for those who do not see it.
[[nodiscard]] std::string plot_caption(const MeasureReport& report, const FitReport& fit);

}  // namespace dca::measure
