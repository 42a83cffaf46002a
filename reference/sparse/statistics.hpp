// How sparse a sparse prefill is: pairs attended and pairs visible, counted from the plans without computing attention.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/sparse/plan.hpp"

namespace dca::sparse {

/// Pairs of a query row and a key.
struct PairCount {
    std::int64_t attended = 0;
    std::int64_t visible = 0;  ///< what dense attention attends to
    friend bool operator==(const PairCount&, const PairCount&) = default;
};

/// Counts over all sequences.
struct AttendedStatistics {
    std::array<PairCount, 3> modes{};  ///< by Mode
    std::int64_t rows = 0;             ///< that see at least one key
    std::int64_t empty_rows = 0;       ///< of these, rows that attend to none (H54)
    [[nodiscard]] PairCount of(Mode mode) const { return modes[static_cast<std::size_t>(mode)]; }
    [[nodiscard]] PairCount total() const;
    /// Attended pairs over visible pairs; 1 where there are none.
    [[nodiscard]] double fraction_of_dense() const;
    friend bool operator==(const AttendedStatistics&, const AttendedStatistics&) = default;
};

/// One entry per query head, from plans() of a problem with heads_q heads under the same config.
[[nodiscard]] std::vector<AttendedStatistics> attended_statistics(std::span<const SegmentPlan> plans,
                                                                  const SparseConfig& config, std::int64_t heads_q);

}  // namespace dca::sparse
