// Inverse frequencies and mscale of every rope_scaling (Def.5), each rounded to double once.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::reference {

/// The rotary settings as the problem's dialect sees them: rope_scaling none where the published code ignores it or
/// divides positions instead of frequencies (PositionMap does that).
[[nodiscard]] RopeConfig effective_rope(const Problem& problem);

/// inv_freq_k, k = 0 .. rotary_dim/2 - 1, for a sequence of key_count keys (only `dynamic` depends on it), of
/// effective_rope. Computed in binary128 and rounded to double once: correctly rounded but for ties within 2^-100.
[[nodiscard]] std::vector<double> inv_freq(const Problem& problem, std::int64_t key_count);

/// The factor on cos and sin of both q and k.
[[nodiscard]] double mscale(const RopeConfig& rope);

}  // namespace dca::reference
