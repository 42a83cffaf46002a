// Case texts that are said as changes to another one.
#pragma once

#include <string>
#include <string_view>

#include "golden/case_spec.hpp"

namespace dca::hazards {

/// The text with these words in it: a word replaces that of the same key, or is added; "key=" takes the key out. Keys
/// have to be spelt alike in both (C or chunk_size).
[[nodiscard]] std::string changed(std::string_view text, std::string_view words);

/// The value of a key, empty where there is none.
[[nodiscard]] std::string_view word(std::string_view text, std::string_view key);

/// parse_case(changed(text, words)).
[[nodiscard]] golden::CaseSpec changed_case(std::string_view text, std::string_view words);

}  // namespace dca::hazards
