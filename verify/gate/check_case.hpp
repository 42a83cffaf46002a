// Whether a case is one the gate can judge, asked before anything else is done with it.
#pragma once

#include "golden/case_spec.hpp"

namespace dca::verify {

/// Throws, naming the case: InvalidProblem where a valid case does not pass validate(), ContractError where one that
/// must be rejected does, Unsupported where the reference cannot compute it, and for chunk-summary and sampled cases.
void check_case(const golden::CaseSpec& spec);

}  // namespace dca::verify
