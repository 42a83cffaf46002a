// Case with sample=R -> golden of the sampled rows and of every key, written as it is computed.
#pragma once

#include "golden/case_spec.hpp"
#include "golden/store.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::verify {

/// Computes and writes one valid case that samples rows, in memory that does not grow with its length. Inputs are not
/// stored. Throws Unsupported where sampled rows are not computed (reference/sampled).
void write_sampled_case(const golden::CaseSpec& spec, golden::FileWriter& writer, const Within& within);

}  // namespace dca::verify
