// Sums of growth laws fitted to a series: which terms are there, and how much of the value each makes up.
#pragma once

#include <vector>

#include "verify/measure/growth.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// Fits value = sum of coefficient * term, no coefficient negative, with the intervals of docs/measure.md. Shares are
/// those at the last size of the series. Throws InvalidProblem for fewer sizes than terms and one.
[[nodiscard]] ModelFit fit_model(const Series& series, const std::vector<Growth>& terms,
                                 int replicates = replicate_count);

/// The models that are worth telling apart: 1 + n, 1 + n*log n, 1 + n^2, 1 + n + n^2, ..., and where chunk_size varies
/// 1 + n*c, 1 + n*c + (n/c)^2, 1 + n + n*c.
[[nodiscard]] std::vector<std::vector<Growth>> usual_models(const Series& series);

/// All that have sizes enough, best score first.
[[nodiscard]] std::vector<ModelFit> compare_models(const Series& series, const std::vector<std::vector<Growth>>& models,
                                                   int replicates = replicate_count);

}  // namespace dca::measure
