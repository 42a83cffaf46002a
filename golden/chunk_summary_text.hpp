// The words of a case text with algorithm=chunk_summary.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "golden/case_spec.hpp"

namespace dca::golden {

/// Whether the words name the chunk-summary algorithm. Throws InvalidProblem for an `algorithm` that is neither.
[[nodiscard]] bool names_chunk_summary(std::span<const std::string_view> words);
/// Reads them; id empty where none is given. Throws InvalidProblem naming the word that is unknown, repeated, malformed
/// or missing. Does not validate.
[[nodiscard]] CaseSpec parse_chunk_summary(std::span<const std::string_view> words);
/// The canonical text without the id. Precondition: spec.chunk_summary is set.
[[nodiscard]] std::string chunk_summary_text(const CaseSpec& spec);

}  // namespace dca::golden
