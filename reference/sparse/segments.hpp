// The parts of a sequence that are selected and attended on their own, and how many verticals and slashes each head may
// take in each of them (V.1, V.2).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/sparse/config.hpp"

namespace dca::sparse {

/// Consecutive query rows of one sequence that lie in one chunk.
struct Segment {
    std::int64_t row_begin, row_end;  ///< rows of the sequence
    std::int64_t first_index;         ///< absolute index of row_begin
    ChunkIndex chunk;
    [[nodiscard]] std::int64_t rows() const { return row_end - row_begin; }
    /// One past the last key that any of its rows sees.
    [[nodiscard]] std::int64_t key_end() const { return first_index + rows(); }
};

/// The segments of a sequence in ascending order; rows before every key belong to none. Throws Unsupported where a
/// query has no key of its own: the published code takes the queries to be the last keys.
[[nodiscard]] std::vector<Segment> segments(const ChunkConfig& chunk, const reference::Sequence& sequence);

/// Numbers of verticals and slashes.
struct HeadSizes {
    std::int64_t vertical, slash;
    friend bool operator==(const HeadSizes&, const HeadSizes&) = default;
};

/// What one segment allows: per query head what it takes, and the width of the tables all heads share.
struct SegmentSizes {
    std::vector<HeadSizes> heads;
    HeadSizes capacity;
};

/// The sizes of every segment of one sequence, in order; with Rules::persistent_clamp each depends on those before.
[[nodiscard]] std::vector<SegmentSizes> segment_sizes(const SparseConfig& config, std::int64_t heads_q,
                                                      const std::vector<Segment>& segments);

}  // namespace dca::sparse
