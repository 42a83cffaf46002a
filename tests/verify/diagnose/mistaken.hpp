// Candidates that make one known mistake, computed apart from verify/diagnose and rounded to the type of the case.
#pragma once

#include <string>

#include "golden/store.hpp"

namespace dca::test {

/// A complete golden case of 40 tokens, 4 query and 2 kv heads, chunk_size 12 and local_size 4, with gradients, in the
/// dtype; adapted where the mistake needs it (mscale to forget, sequences to join, ...).
[[nodiscard]] golden::CaseData golden_for(const std::string& mistake, Dtype dtype);

/// What a candidate writes that makes this mistake; ContractError for an unknown one.
[[nodiscard]] golden::Results mistaken(const std::string& mistake, const golden::CaseData& golden);

/// Every value rounded to the dtype, lse to f32 as kernels write it.
[[nodiscard]] golden::Results rounded(golden::Results results, Dtype dtype);

}  // namespace dca::test
