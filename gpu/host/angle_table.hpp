// The table of (mscale cos, mscale sin): one row per position that a tile uses, none for the others. Positions near
// 2^31 cost no more than those near 0.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace dca::gpu::host {

/// A set of positions as intervals, and the table row of each: rows of one interval follow each other.
class PositionRows {
public:
    /// Positions first .. first + count - 1. Precondition: first >= 0, count >= 1, before number().
    void add(std::int64_t first, std::int64_t count);
    /// Merges what was added and numbers it from `first_row` on; returns how many rows there are.
    std::int64_t number(std::int64_t first_row);
    /// The row of a position that was added. Throws ContractError for another.
    [[nodiscard]] std::int64_t row(std::int64_t position) const;

    struct Interval {
        std::int64_t first, end, row;
    };
    [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }

private:
    std::vector<Interval> intervals_;
};

/// mscale (cos, sin) of the angle position * frequency. The product is exact as the sum of two doubles and so is their
/// addition formula; libm's sin and cos and three roundings leave an absolute error below 3 * 2^-53 |mscale|.
[[nodiscard]] std::pair<double, double> turned(std::int64_t position, double frequency, double mscale);

/// Appends one row per position of `rows`, in their order.
void append_angles(const PositionRows& rows, const std::vector<double>& frequencies, double mscale,
                   std::vector<double>& table);

}  // namespace dca::gpu::host
