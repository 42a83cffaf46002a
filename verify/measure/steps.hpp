// What a smooth law hides: a buffer that grows in stairs, a term that starts late.
#pragma once

#include <vector>

#include "verify/measure/replicas.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// The exponent by which a claim may be missed at sizes up to `largest`: half of what a factor log n adds there.
[[nodiscard]] double tolerance(std::int64_t largest);

/// At most one finding: the law with a step that beats every smooth law, if chance would let it do so in one of a
/// hundred series at most and the step makes up more of the last value than tolerance() (docs/measure.md). Looks along
/// n; needs six sizes; sizes in powers of two cannot show a buffer that doubles.
[[nodiscard]] std::vector<StepFinding> find_steps(const Series& series, int replicates = 199);

}  // namespace dca::measure
