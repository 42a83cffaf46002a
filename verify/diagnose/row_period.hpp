// Bad rows that come back: the tile size of the kernel that made them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "verify/run/result.hpp"

namespace dca::verify {

/// One row of a sequence: its number there, counted from the first row of the sequence, and whether it is bad.
struct RowFlag {
    std::int64_t row = 0;
    bool bad = false;
};

/// The smallest period that predicts which rows are bad, or nothing where none does clearly better than "all" or
/// "none": it must predict at least 95 % of the rows and leave at most half of what the better of those two leaves.
/// Rows before the first bad one are not looked at, and of the others the first 65536: so the cost is bounded.
[[nodiscard]] std::optional<RowPeriod> find_period(std::span<const RowFlag> rows);

}  // namespace dca::verify
