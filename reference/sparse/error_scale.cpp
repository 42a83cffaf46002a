#include "reference/sparse/error_scale.hpp"

#include <algorithm>
#include <limits>

#include "reference/error_scale.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

/// The plan that the rows belong to.
const SegmentPlan& plan_of(std::span<const SegmentPlan> all, const std::vector<reference::Sequence>& sequences,
                           const reference::HeadRows& rows) {
    for (const SegmentPlan& plan : all) {
        if (plan.head == rows.head && plan.segment.row_begin <= rows.row_begin &&
            rows.row_end <= plan.segment.row_end &&
            sequences[static_cast<std::size_t>(plan.sequence)].number == rows.sequence.number) {
            return plan;
        }
    }
    throw ContractError("sparse_error_scales: plans of another problem");
}

void mark(const SegmentPlan& plan, std::int64_t block, const reference::HeadRows& rows, std::span<std::uint8_t> flags) {
    const std::int64_t key_count = rows.sequence.key_count(), first = rows.row_begin - plan.segment.row_begin;
    const std::int64_t last = rows.row_end - plan.segment.row_begin;
    for (const ModeLists& lists : plan.modes) {
        for (std::int64_t start = first / block * block; start < last; start += block) {
            const std::vector<std::int64_t> keys = tile_keys(plan, lists, start, block).keys();
            for (std::int64_t m = std::max(start, first); m < std::min(start + block, last); ++m) {
                const std::int64_t visible = visible_keys(lists, m);
                for (std::int64_t key : keys) {
                    if (key >= visible) break;
                    flags[static_cast<std::size_t>((m - first) * key_count + lists.key_begin + key)] = 1;
                }
            }
        }
    }
}

void spoil(const SegmentPlan& plan, const reference::Sequence& sequence, ErrorScales& scales) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (std::int64_t row = plan.segment.row_begin; row < plan.segment.row_end; ++row) {
        const std::int64_t at = sequence.query_begin + row;
        for (std::int64_t c = 0; c < scales.out.extent(3); ++c) scales.out(sequence.batch, at, plan.head, c) = infinity;
        scales.lse(sequence.batch, plan.head, at) = infinity;
    }
}

}  // namespace

ErrorScales sparse_error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                const SparseConfig& config, std::span<const SegmentPlan> all) {
    const std::vector<reference::Sequence> sequences = reference::sequences(problem);
    ErrorScales scales = reference::error_scales(problem, inputs, outputs,
                                                 [&](const reference::HeadRows& rows, std::span<std::uint8_t> flags) {
                                                     mark(plan_of(all, sequences, rows), config.block, rows, flags);
                                                 });
    for (const SegmentPlan& plan : all) {
        if (!plan.settled()) spoil(plan, sequences[static_cast<std::size_t>(plan.sequence)], scales);
    }
    return scales;
}

}  // namespace dca::sparse
