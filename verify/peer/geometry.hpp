// Where the peer's rows lie and at which positions they are rotated: its own reading of docs/definition.md (Def.2,
// Def.3, Def.5), shared with nothing it is compared with.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::peer {

/// One sequence: its rows of the query and key axes, and the index of the first query among its keys.
struct Part {
    std::int64_t batch, query_begin, query_end, key_begin, key_end, offset;
    [[nodiscard]] std::int64_t keys() const { return key_end - key_begin; }
};
[[nodiscard]] std::vector<Part> parts_of(const Problem& problem);

inline constexpr int mode_count = 3;  ///< intra, succ, inter

/// Keys [begin, end) that a query sees in one mode.
struct Reach {
    std::int64_t begin = 0, end = 0;
};
/// Of the query with absolute index i >= 0 among `keys` keys.
[[nodiscard]] std::array<Reach, mode_count> reaches(const ChunkConfig& chunk, std::int64_t i, std::int64_t keys);

[[nodiscard]] inline std::int64_t key_position(const ChunkConfig& chunk, std::int64_t j) {
    return j % chunk.chunk_len();
}
[[nodiscard]] std::int64_t query_position(const ChunkConfig& chunk, std::int64_t i, int mode);

/// Def.5, each frequency rounded to double; problem.rope.inv_freq where it is given. rotary_dim / 2 values.
[[nodiscard]] std::vector<double> frequencies(const Problem& problem, std::int64_t keys);
/// The factor on cos and sin.
[[nodiscard]] double table_factor(const RopeConfig& rope);

}  // namespace dca::peer
