// Inverse frequencies and mscale as the kernels' host side works them out (Def.5).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::gpu::host {

/// f_k, k = 0 .. rotary_dim / 2 - 1, of a sequence of `keys` keys; evaluated in binary128 and rounded to double once.
/// Only `dynamic` looks at `keys`. Empty for rope none.
[[nodiscard]] std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys);

/// The factor on cos and sin.
[[nodiscard]] double length_factor(const RopeConfig& rope);

}  // namespace dca::gpu::host
