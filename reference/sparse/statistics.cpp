#include "reference/sparse/statistics.hpp"

#include <algorithm>

namespace dca::sparse {
namespace {

void count_tile(const SegmentPlan& plan, std::int64_t start, std::int64_t block, AttendedStatistics& counts) {
    const std::int64_t end = std::min(start + block, plan.segment.rows());
    std::vector<std::int64_t> attended(static_cast<std::size_t>(end - start));
    for (const ModeLists& lists : plan.modes) {
        const std::vector<std::int64_t> keys = tile_keys(plan, lists, start, block).keys();
        PairCount& count = counts.modes[static_cast<std::size_t>(lists.mode)];
        for (std::int64_t m = start; m < end; ++m) {
            const std::int64_t visible = visible_keys(lists, m);
            const std::int64_t seen = std::lower_bound(keys.begin(), keys.end(), visible) - keys.begin();
            count.visible += visible;
            count.attended += seen;
            attended[static_cast<std::size_t>(m - start)] += seen;
        }
    }
    counts.rows += end - start;
    counts.empty_rows += std::count(attended.begin(), attended.end(), 0);
}

}  // namespace

PairCount AttendedStatistics::total() const {
    PairCount sum;
    for (const PairCount& mode : modes) {
        sum.attended += mode.attended;
        sum.visible += mode.visible;
    }
    return sum;
}

double AttendedStatistics::fraction_of_dense() const {
    const PairCount sum = total();
    return sum.visible == 0 ? 1.0 : static_cast<double>(sum.attended) / static_cast<double>(sum.visible);
}

std::vector<AttendedStatistics> attended_statistics(std::span<const SegmentPlan> plans, const SparseConfig& config,
                                                    std::int64_t heads_q) {
    std::vector<AttendedStatistics> out(static_cast<std::size_t>(heads_q));
    for (const SegmentPlan& plan : plans) {
        AttendedStatistics& counts = out.at(static_cast<std::size_t>(plan.head));
        for (std::int64_t start = 0; start < plan.segment.rows(); start += config.block) {
            count_tile(plan, start, config.block, counts);
        }
    }
    return out;
}

}  // namespace dca::sparse
