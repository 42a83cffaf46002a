// The tensor names of chunk-summary cases, and whether a candidate's attributes are those of the golden.
#pragma once

#include <string_view>

#include "golden/store.hpp"

namespace dca::verify {

/// Whether a chunk-summary case of some scope has this output or input.
[[nodiscard]] bool is_chunk_summary_tensor(bool output, std::string_view name);
/// Whether this problem has it.
[[nodiscard]] bool is_chunk_summary_tensor(bool output, std::string_view name, const chunk_summary::Problem& problem);

/// Throws FormatError unless the attribute says what the golden's problem says, or is none of the problem's.
/// Precondition: golden.chunk_summary is set.
void check_chunk_summary_attribute(const std::string& name, const golden::AttributeValue& value,
                                   const golden::CaseData& golden);

/// The same for the attribute `algorithm` of any case.
void check_algorithm(const golden::AttributeValue& value, const golden::CaseData& golden);

}  // namespace dca::verify
