// Case -> a file of its inputs alone, slice by slice: what a candidate runs on where the golden does not store them.
#pragma once

#include <filesystem>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::verify {

/// Appends q, k, v and dout of the case to a stream that was begun with them, in constant memory.
void append_inputs(const golden::CaseSpec& spec, golden::CaseStream& stream);

/// `dca generate --inputs-only`: as generate, without results and judge data.
GenerateCounts write_inputs(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                            const Progress& progress);

}  // namespace dca::verify
