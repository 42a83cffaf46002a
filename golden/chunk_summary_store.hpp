// Reading and writing the group of a chunk-summary case. Untrusted like every other case: sizes are checked before
// memory is asked for.
#pragma once

#include "golden/case_reader.hpp"
#include "golden/h5_handle.hpp"

namespace dca::golden {

/// Whether the case group says that it is one. Throws FormatError for an attribute `algorithm` that is unreadable or
/// names another algorithm than these two.
[[nodiscard]] bool is_chunk_summary(const h5::Node& case_group);

/// As read_case; the result has chunk_summary set.
[[nodiscard]] CaseData read_chunk_summary_case(const h5::File& file, const std::string& id, Demand demand,
                                               const Report& report);

/// Writes the group. Precondition: data.chunk_summary is set and valid.
void write_chunk_summary_case(hid_t file, const CaseData& data);

}  // namespace dca::golden
