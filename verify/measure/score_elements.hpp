// Visible pairs per mode, in closed form (Def.2, Def.3): exact, without a loop.
#pragma once

#include <cstdint>

#include "verify/measure/series.hpp"

namespace dca::measure {

/// Of n tokens that attend to themselves causally, with chunks of chunk_len >= 1; n >= 0, n and chunk_len up to
/// max_position. The sum is n (n + 1) / 2: no pair is dropped.
[[nodiscard]] ScoreElements score_elements(std::int64_t n, std::int64_t chunk_len);

/// ceil(n / chunk_len)
[[nodiscard]] std::int64_t chunk_count(std::int64_t n, std::int64_t chunk_len);

}  // namespace dca::measure
