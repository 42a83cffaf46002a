// The position matrix of a failing case (Def.3): which pair of query and key is in which mode, how far apart the two
// are for RoPE, and which rows are wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verify/picture/picture.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// Most cells a side; longer sequences are drawn every few rows.
inline constexpr std::int64_t most_matrix_cells = 96;

struct PositionMatrix {
    picture::Mosaic mosaic;
    std::string words;  ///< which part is drawn, in one sentence
};

/// Of the sequence that holds the worst row (of its first batch entry or packed sequence, where none failed). Nothing
/// where the case has no problem, its dialect no positions, or it is sparse.
[[nodiscard]] std::optional<PositionMatrix> position_matrix(const CaseReport& report);

/// Colour of a mode at a relative position, 0 to 1 of the largest.
[[nodiscard]] picture::Mosaic::Color mode_color(Mode mode, double relative);

}  // namespace dca::verify
