// Ladders of sizes as text: "1024..16384", "1K..64K*4", "1K..8K*1.4", "1024,1536,4096".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dca::measure {

/// A size: digits, and K, M or G for 2^10, 2^20, 2^30. Throws InvalidProblem naming `option`.
[[nodiscard]] std::int64_t parse_size(std::string_view text, const std::string& option);

/// Ascending sizes without repetition. FIRST..LAST doubles from FIRST on, FIRST..LAST*F multiplies by F, which need not
/// be whole: sizes are FIRST F^k, rounded. LAST itself is in it only where a step meets it. Commas join sizes and
/// ladders. Throws InvalidProblem naming `option` for text that is none of this, sizes below 1 or beyond max_position,
/// a factor below 1.1 and more than 64 sizes.
[[nodiscard]] std::vector<std::int64_t> parse_ladder(std::string_view text, const std::string& option);

}  // namespace dca::measure
