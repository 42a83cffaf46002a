// What a report says of the golden itself.
#pragma once

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// The problem of the case, and how exact the expected values of each compared tensor are.
void add_golden_facts(const golden::CaseData& golden, CaseReport& report);

}  // namespace dca::verify
