// What changes between two dialects on a case: positions, temperature, arithmetic rules, results.
#pragma once

#include "golden/case_spec.hpp"
#include "reference/spec/bundles.hpp"
#include "verify/run/diff_dialects_result.hpp"

namespace dca::verify {

/// Both dialects on the same problem and inputs, whatever dialect the problem names; its facts are given to both. The
/// noise is the expected rounding error of the problem's dtype in the first dialect. A dialect that cannot run the case
/// leaves its refusal, and everything but the results is still there. Throws Unsupported where there is no dialect of a
/// name or the facts ask for a sparse prefill, InvalidProblem where the problem, its facts or its inputs are
/// impossible.
[[nodiscard]] DialectDifference diff_dialects(const std::string& case_id, const Problem& problem, const Inputs& inputs,
                                              const Both<std::string>& dialects);

/// The same on the inputs of a case text.
[[nodiscard]] DialectDifference diff_dialects(const golden::CaseSpec& spec, const Both<std::string>& dialects);

/// The parts of it.
[[nodiscard]] PositionDifference diff_positions(const Both<Problem>& problems);
[[nodiscard]] TemperatureDifference diff_temperature(const Both<Problem>& problems);
[[nodiscard]] std::vector<RuleDifference> diff_rules(const Both<Problem>& problems, bool gradients);

}  // namespace dca::verify
