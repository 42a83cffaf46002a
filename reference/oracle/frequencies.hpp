// Inverse frequencies and mscale of every rope_scaling (Def.5), evaluated in binary128 through exp and log and rounded
// to double once: correctly rounded except where the exact value lies within about 2^-105 (relative) of a tie.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::oracle {

/// rotary_dim / 2 values (none for rope none) for a sequence of `keys` keys; only `dynamic` depends on that length.
/// Precondition: the problem is valid.
[[nodiscard]] std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys);

/// The factor on cos and sin of both q and k. Precondition: the problem is valid.
[[nodiscard]] double mscale(const RopeConfig& rope);

}  // namespace dca::oracle
