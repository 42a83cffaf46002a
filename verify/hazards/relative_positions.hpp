// What follows from the position maps of a problem's dialect alone: which relative positions RoPE sees, and where two
// problems start to differ. A sequence of shape.seq_k tokens from index 0 is looked at.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/spec/problem.hpp"

namespace dca::hazards {

/// M(i, j) of a visible pair. Precondition: 0 <= j <= i.
[[nodiscard]] double relative_position(const Problem& problem, std::int64_t i, std::int64_t j);

/// The first query, below the shorter of the two lengths, for which some key has another relative position.
[[nodiscard]] std::optional<std::int64_t> first_different_query(const Problem& a, const Problem& b);

/// The first query for which some relative position is not i - j: where plain causal RoPE is left.
[[nodiscard]] std::optional<std::int64_t> first_query_unlike_plain(const Problem& problem);

[[nodiscard]] std::optional<std::int64_t> first_wrong_distance(const Problem& problem);
[[nodiscard]] std::int64_t wrong_pairs(const Problem& problem);
[[nodiscard]] std::int64_t visible_pairs(const Problem& problem);

}  // namespace dca::hazards
