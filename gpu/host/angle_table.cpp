#include "gpu/host/angle_table.hpp"

#include <algorithm>
#include <cmath>

#include "reference/spec/error.hpp"

namespace dca::gpu::host {

void PositionRows::add(std::int64_t first, std::int64_t count) {
    expects(first >= 0 && count >= 1, "PositionRows::add: an interval of positions");
    intervals_.push_back({first, first + count, 0});
    // Tiles of one chunk after the other repeat the same positions: joining now and then keeps memory with the table.
    if (intervals_.size() < intervals_.capacity()) return;
    number(0);
    if (intervals_.size() > intervals_.capacity() / 2) intervals_.reserve(2 * intervals_.capacity());
}

std::int64_t PositionRows::number(std::int64_t first_row) {
    std::sort(intervals_.begin(), intervals_.end(),
              [](const Interval& a, const Interval& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const Interval& interval : intervals_) {
        if (kept > 0 && interval.first <= intervals_[kept - 1].end) {
            intervals_[kept - 1].end = std::max(intervals_[kept - 1].end, interval.end);
        } else {
            intervals_[kept++] = interval;
        }
    }
    intervals_.resize(kept);
    std::int64_t next = first_row;
    for (Interval& interval : intervals_) {
        interval.row = next;
        next += interval.end - interval.first;
    }
    return next - first_row;
}

std::int64_t PositionRows::row(std::int64_t position) const {
    const auto after = std::upper_bound(intervals_.begin(), intervals_.end(), position,
                                        [](std::int64_t p, const Interval& interval) { return p < interval.first; });
    expects(after != intervals_.begin() && position < std::prev(after)->end,
            "PositionRows::row: a position never added");
    return std::prev(after)->row + position - std::prev(after)->first;
}

std::pair<double, double> turned(std::int64_t position, double frequency, double mscale) {
    const double p = static_cast<double>(position);  // at most 2^31: exact
    const double high = p * frequency, low = std::fma(p, frequency, -high);
    const double cos_high = std::cos(high), sin_high = std::sin(high);
    // |low| reaches 2^-22 and more where positions are near 2^31, so first order in it would not do.
    const double cos_low = std::cos(low), sin_low = std::sin(low);
    return {mscale * (cos_high * cos_low - sin_high * sin_low), mscale * (sin_high * cos_low + cos_high * sin_low)};
}

void append_angles(const PositionRows& rows, const std::vector<double>& frequencies, double mscale,
                   std::vector<double>& table) {
    for (const PositionRows::Interval& interval : rows.intervals()) {
        for (std::int64_t position = interval.first; position < interval.end; ++position) {
            for (const double frequency : frequencies) {
                const auto [cosine, sine] = turned(position, frequency, mscale);
                table.push_back(cosine);
                table.push_back(sine);
            }
        }
    }
}

}  // namespace dca::gpu::host
