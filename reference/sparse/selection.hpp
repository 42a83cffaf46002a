// Which verticals and slashes one head takes in one segment (V.3 - V.5).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/rows.hpp"
#include "reference/sparse/segments.hpp"

namespace dca::sparse {

/// The votes of the last rows of a segment, before anything is forced (V.4).
struct Votes {
    std::vector<double> vertical;  ///< one per key 0 .. key_end - 1
    std::vector<double> slash;     ///< slash[t]: the diagonal on which the last row meets key t
};

/// keys: rotated keys of the head's kv head (SequenceRows::rotated_keys).
[[nodiscard]] Votes votes(const SequenceRows& rows, const Segment& segment, std::int64_t head, std::int64_t last_q,
                          std::span<const double> keys);

/// The indices of the `count` largest scores in ascending order; of equal scores the lowest indices. Precondition: no
/// NaN.
[[nodiscard]] std::vector<std::int64_t> largest(std::span<const double> scores, std::int64_t count);

/// Absolute key indices, ascending; a slash is named by the key it meets at the last row.
struct Picks {
    std::vector<std::int64_t> vertical, slash;
    friend bool operator==(const Picks&, const Picks&) = default;
};

/// The votes after the first keys and the last diagonals are forced: +infinity (V.5).
[[nodiscard]] Votes forced(Votes votes, const SparseConfig& config);

/// The top of both votes (V.5).
[[nodiscard]] Picks picks(const Votes& forced, const HeadSizes& sizes);

/// ln (smallest vote picked / largest vote not picked), of verticals or slashes, the smaller: how far every vote may be
/// off, as a factor, before another key is picked. +infinity where nothing is left out, 0 where the choice is a tie or
/// between votes that float32 does not hold.
[[nodiscard]] double margin(const Votes& forced, const Picks& picks);

}  // namespace dca::sparse
