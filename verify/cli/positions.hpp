// The position maps (Def.2) and the relative-position matrix (Def.3) as text, CSV and SVG.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"

namespace dca::cli {

struct PositionTable {
    ChunkConfig chunk;
    std::int64_t seq_len = 0;
};

/// How a visible pair (key <= query) is seen.
struct PairPositions {
    Mode mode;
    std::int64_t query, key;  ///< the positions RoPE sees
    [[nodiscard]] std::int64_t relative() const { return query - key; }
};

/// Precondition: 0 <= key <= query < seq_len.
[[nodiscard]] PairPositions pair_positions(const ChunkConfig& chunk, std::int64_t query, std::int64_t key);

/// Longest sequence each form is written for.
inline constexpr std::int64_t max_text_length = 256, max_svg_length = 512, max_csv_length = 65536;

/// The rows P_k, P_intra, P_succ, P_inter and the matrix, with | at chunk borders.
void write_positions_text(std::ostream& out, const PositionTable& table);

/// Header and one line per visible pair: query,key,mode,query_position,key_position,relative_position. Stops where the
/// stream fails.
void write_positions_csv(std::ostream& out, const PositionTable& table);

/// The matrix as a heat map: hue by mode, darker with relative position, lines at chunk borders. One self-contained
/// file for light and dark viewers.
void write_positions_svg(std::ostream& out, const PositionTable& table);

}  // namespace dca::cli
