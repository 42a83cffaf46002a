// Random problems over every feature of the definition, small enough for the oracle. Each is a function of its seed.
#pragma once

#include <cstdint>

#include "reference/spec/bundles.hpp"

namespace dca::test {

/// A valid problem: chunk settings from stride 1 to longer than the sequence, any rope layout and scaling, GQA and MQA,
/// head_dim_v != head_dim, partial rotary, explicit inv_freq, mscale and softmax_scale, packed sequences with empty
/// ones, decode, chunked prefill and rows without keys.
[[nodiscard]] Problem random_problem(std::uint64_t seed);

/// The features that move positions or shapes only: rope neox without scaling, one batch, offset 0.
[[nodiscard]] Problem plain_problem(std::int64_t n, ChunkConfig chunk, std::int64_t heads_q = 2,
                                    std::int64_t heads_kv = 1, std::int64_t head_dim = 8);

/// Unit normal q, k, v and dout for a problem; q and k times logit_scale.
[[nodiscard]] Inputs random_inputs(const Problem& problem, std::uint64_t seed, double logit_scale = 1.0);

/// A short description for INFO().
[[nodiscard]] std::string describe(const Problem& problem);

}  // namespace dca::test
