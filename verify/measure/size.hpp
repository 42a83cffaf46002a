// One thing to run: how large, in which setting. And what follows from it without running.
#pragma once

#include <cstdint>

#include "golden/case_spec.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// The case of that size: causal self-attention of n tokens; inputs made from seed 1, so that every candidate gets the
/// same. dout where the pass is backward. Throws InvalidProblem (validate).
[[nodiscard]] golden::CaseSpec case_of(const Setting& setting, const Size& size);

/// Elements of q, k, v, and dout where there is one.
[[nodiscard]] std::int64_t input_elements(const golden::CaseSpec& spec);
/// Elements of out and lse; backward: of dq, dk and dv as well.
[[nodiscard]] std::int64_t output_elements(const golden::CaseSpec& spec);

}  // namespace dca::measure
