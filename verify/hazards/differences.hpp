// From which token on two dialects differ, computed from their rules: what docs/dialects.md tabulates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::hazards {

/// Index of a query, or number of tokens; nothing: never.
using First = std::optional<std::int64_t>;

/// A sequence of four chunks: enough to see every difference. From the third chunk on the maps of a dialect repeat;
/// plain causal RoPE is left at query 2L + 1 at the latest.
[[nodiscard]] Problem four_chunks(std::string_view dialect, const ChunkConfig& chunk);

/// Dialects whose position maps have the same rules, in the order of the table; their first members stand for them.
[[nodiscard]] std::vector<const Dialect*> position_classes();
[[nodiscard]] bool same_positions(const Dialect& a, const Dialect& b);

/// The first query index with another relative position as a rule, for classes of dialects where one is known.
struct PositionFormula {
    std::string_view a, b;  ///< dialects; b empty: plain causal RoPE
    std::string_view text;
    First (*index)(const ChunkConfig&);
};
[[nodiscard]] const std::vector<PositionFormula>& position_formulas();

/// The smallest prompt, in tokens, some logit of which has another length factor in prefill, both dialects with this
/// reference length; looked for up to three times as long.
[[nodiscard]] First prefill_factor_differs(const Dialect& a, const Dialect& b, std::int64_t reference_length);
/// The smallest number of tokens at which the last of them, decoded after a prompt of half the reference length, meets
/// another factor.
[[nodiscard]] First decode_factor_differs(const Dialect& a, const Dialect& b, std::int64_t reference_length);
/// The smallest prompt whose first pair has another factor than in the prompt one token shorter (H20).
[[nodiscard]] First prompt_length_matters(const Dialect& dialect, std::int64_t reference_length);
/// As decode_factor_differs, decode against prefill of the same tokens in one dialect (H19, H21).
[[nodiscard]] First decode_leaves_prefill(const Dialect& dialect, std::int64_t reference_length);

/// ||out_a - out_b|| / ||out_b|| in a small case in which neither positions nor factors differ and two modes are
/// merged: what is left is rounding. Precondition: both can decode, for decode.
[[nodiscard]] double rounding_difference(const Dialect& a, const Dialect& b, Phase phase, Dtype dtype);

}  // namespace dca::hazards
