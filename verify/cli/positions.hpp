// The position maps of a dialect (Def.2, docs/dialects.md) and the relative-position matrix (Def.3) as text, CSV and
// SVG.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/problem.hpp"

namespace dca::cli {

/// How a visible pair (key <= query) is seen. Integers, except where a dialect divides positions.
struct PairPositions {
    Mode mode;
    double query, key;  ///< the positions RoPE sees
    [[nodiscard]] double relative() const { return query - key; }
};

/// The positions of one sequence of a problem's dialect.
class PositionTable {
public:
    /// Throws InvalidProblem (validate), or Unsupported where the dialect's own code has no such positions.
    explicit PositionTable(const Problem& problem);

    /// Precondition: 0 <= key <= query.
    [[nodiscard]] PairPositions pair(std::int64_t query, std::int64_t key) const;
    [[nodiscard]] const reference::PositionMap& map() const { return map_; }
    [[nodiscard]] const Problem& problem() const { return problem_; }
    [[nodiscard]] std::int64_t seq_len() const { return problem_.shape.seq_k; }
    [[nodiscard]] std::int64_t chunk_len() const { return problem_.chunk.chunk_len(); }

    /// The settings, in one line: "dialect paper, chunk_size 10, local_size 4, chunk_len 6, seq_len 12".
    [[nodiscard]] std::string title() const;
    /// What a reader of the maps should know, a sentence each: the same positions in the paper's or the code's settings
    /// (docs/definition.md, "Paper and code"), and a rope_factor that does not act on positions.
    [[nodiscard]] std::vector<std::string> remarks() const;

private:
    Problem problem_;
    reference::PositionMap map_;
};

/// An integer as such, a fraction rounded to six digits.
[[nodiscard]] std::string rounded_text(double position);
/// An integer as such, a fraction in the shortest form that reads back exactly.
[[nodiscard]] std::string exact_text(double position);

/// Longest sequence each form is written for.
inline constexpr std::int64_t max_text_length = 256, max_svg_length = 512, max_csv_length = 65536;

/// The rows P_k, P_intra, P_succ, P_inter and the matrix, with | at chunk borders, then the remarks.
void write_positions_text(std::ostream& out, const PositionTable& table);

/// Header and one line per visible pair: query,key,mode,query_position,key_position,relative_position. Stops where the
/// stream fails.
void write_positions_csv(std::ostream& out, const PositionTable& table);

/// The matrix as a heat map: hue by mode, darker with relative position, lines at chunk borders. One self-contained
/// file for light and dark viewers.
void write_positions_svg(std::ostream& out, const PositionTable& table);

}  // namespace dca::cli
