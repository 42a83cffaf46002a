#include "reference/sparse/plan.hpp"

#include <limits>
#include <string>

#include "reference/math/parallel.hpp"
#include "reference/refusals.hpp"
#include "reference/sparse/vote_error.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

bool is_dense(const SparseConfig& config, std::size_t sequence, std::int64_t keys) {
    const auto& lengths = config.prompt_length;
    const std::int64_t length = lengths.empty() ? keys : lengths.size() == 1 ? lengths.front() : lengths[sequence];
    return length <= config.threshold;
}

std::vector<ModeLists> dense_lists(const ChunkConfig& chunk, const Segment& segment) {
    std::vector<ModeLists> out;
    for (const reference::KeySpan& span : reference::key_spans(chunk, segment.chunk, segment.key_end())) {
        out.push_back({span.mode, span.begin, span.end - span.begin, segment.rows(), {}, {}});
    }
    return out;
}

/// One sequence of the problem; returns the number of its plans.
std::size_t plan_sequence(const SequenceRows& rows, std::int64_t index, const SparseConfig& config, std::size_t place,
                          const std::function<void(const PlannedSegment&)>& body) {
    const Problem& problem = rows.problem();
    const std::vector<Segment> parts = segments(problem.chunk, rows.sequence());
    const std::int64_t heads = problem.shape.heads_q, count = static_cast<std::int64_t>(parts.size());
    const std::vector<SegmentSizes> sizes = segment_sizes(config, heads, parts);
    const bool dense = is_dense(config, static_cast<std::size_t>(index), rows.keys());
    const std::int64_t group = heads / problem.shape.heads_kv;
    const double work = static_cast<double>(rows.sequence().query_count()) * static_cast<double>(rows.keys()) *
                        static_cast<double>(problem.shape.head_dim + problem.shape.head_dim_v);
    for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
        const std::vector<double> keys = rows.rotated_keys(kv_head);
        reference::parallel_for(group * count, work * static_cast<double>(group), [&](std::int64_t item) {
            const std::int64_t head = kv_head * group + item / count;
            // Later segments have more keys: first come, first served is fairest from the end.
            const auto n = static_cast<std::size_t>(count - 1 - item % count);
            const Segment& segment = parts[n];
            const HeadSizes& own = sizes[n].heads[static_cast<std::size_t>(head)];
            SegmentPlan plan{index, head, segment, dense, own, {}, {}, std::numeric_limits<double>::infinity(), 0};
            if (dense) {
                plan.modes = dense_lists(problem.chunk, segment);
            } else {
                const Votes all = forced(votes(rows, segment, head, config.last_q, keys), config);
                plan.picks = picks(all, own);
                plan.vote_margin = margin(all, plan.picks);
                plan.vote_error = vote_error_bound(rows, segment, head, config.last_q, keys);
                plan.modes = mode_lists(problem.chunk, segment, plan.picks, config.rules, own, sizes[n].capacity);
            }
            body({plan, rows, keys, place + static_cast<std::size_t>(head * count) + n});
        });
    }
    return static_cast<std::size_t>(heads * count);
}

}  // namespace

TileKeys tile_keys(const SegmentPlan& plan, const ModeLists& lists, std::int64_t start, std::int64_t block) {
    return plan.dense ? dense_keys(lists) : tile_keys(lists, start, block);
}

void for_each_plan(const Problem& problem, const Inputs& inputs, const SparseConfig& config,
                   const std::function<void(const PlannedSegment&)>& body) {
    validate(problem, inputs);
    validate(problem, config);
    reference::require_reproducible(problem, inputs.dout.has_value());
    const std::vector<reference::Sequence> all = reference::sequences(problem);
    if (config.prompt_length.size() > 1 && config.prompt_length.size() != all.size()) {
        throw InvalidProblem("prompt_length has " + std::to_string(config.prompt_length.size()) +
                             " values, there are " + std::to_string(all.size()) + " sequences with tokens");
    }
    std::size_t place = 0;
    for (std::size_t n = 0; n < all.size(); ++n) {
        const SequenceRows rows(problem, inputs, all[n]);
        place += plan_sequence(rows, static_cast<std::int64_t>(n), config, place, body);
    }
}

std::vector<SegmentPlan> plans(const Problem& problem, const Inputs& inputs, const SparseConfig& config) {
    std::size_t count = 0;
    for (const reference::Sequence& sequence : reference::sequences(problem)) {
        count += segments(problem.chunk, sequence).size() * static_cast<std::size_t>(problem.shape.heads_q);
    }
    std::vector<SegmentPlan> out(count, SegmentPlan{0, 0, {0, 0, 0, ChunkIndex(0)}, false, {0, 0}, {}, {}, 0, 0});
    for_each_plan(problem, inputs, config, [&](const PlannedSegment& planned) { out[planned.place] = planned.plan; });
    return out;
}

}  // namespace dca::sparse
