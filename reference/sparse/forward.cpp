#include "reference/sparse/forward.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "reference/merge_rule.hpp"
#include "reference/sparse/arithmetic.hpp"
#include "reference/sparse/plan.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// The softmax of one row over the keys of one mode (Def.7). No keys: out 0, lse -inf.
struct Part {
    Mode mode;
    std::vector<double> out;
    double lse = minus_infinity;
};

Part attend(const PlannedSegment& segment, const ModeLists& lists, std::span<const std::int64_t> local,
            std::int64_t row) {
    const SequenceRows& rows = segment.rows;
    const Shape& shape = rows.problem().shape;
    const std::int64_t head = segment.plan.head, kv_head = rows.kv_head(head);
    Part part{lists.mode, std::vector<double>(static_cast<std::size_t>(shape.head_dim_v)), minus_infinity};
    if (local.empty()) return part;
    std::vector<double> query(static_cast<std::size_t>(shape.head_dim)), scores(local.size());
    rows.query(row, head, lists.mode, QueryKind::real, query.data());
    double maximum = minus_infinity, sum = 0;
    for (std::size_t n = 0; n < local.size(); ++n) {
        const auto key = static_cast<std::size_t>((lists.key_begin + local[n]) * shape.head_dim);
        scores[n] = dot(query.data(), &segment.keys[key], shape.head_dim);
        maximum = std::max(maximum, scores[n]);
        if (!std::isfinite(scores[n])) {
            throw InvalidProblem("the logits of head " + std::to_string(head) + ", query row " + std::to_string(row) +
                                 " overflow double precision");
        }
    }
    for (std::size_t n = 0; n < local.size(); ++n) {
        const double p = exp_nonpositive(scores[n] - maximum);
        const double* value = rows.value(lists.key_begin + local[n], kv_head);
        sum += p;
        for (std::size_t c = 0; c < part.out.size(); ++c) part.out[c] += p * value[c];
    }
    for (double& x : part.out) x /= sum;
    part.lse = plus_log(maximum, sum);
    return part;
}

/// Def.8 with the roundings of the dialect; lse is that before them. Writes nothing where every part is empty. The
/// parts' channels are used up.
void merge(const reference::Merge& rule, std::span<Part> parts, std::span<double> out, double& lse) {
    reference::PerMode of_mode;
    of_mode.fill(minus_infinity);
    double maximum = minus_infinity, sum = 0;
    std::ptrdiff_t present = 0;
    for (const Part& part : parts) {
        of_mode[static_cast<std::size_t>(part.mode)] = part.lse;
        maximum = std::max(maximum, part.lse);
        present += part.lse != minus_infinity ? 1 : 0;
    }
    if (present == 0) return;
    const reference::PerMode weights = rule.weights(of_mode);
    for (Part& part : parts) {
        if (part.lse == minus_infinity) continue;
        sum += exp_nonpositive(part.lse - maximum);
        if (present == 1) {
            std::ranges::copy(part.out, out.begin());
        } else {
            rule.add_products(weights[static_cast<std::size_t>(part.mode)], part.out.data(),
                              static_cast<int>(part.out.size()), out.data());
        }
    }
    lse = plus_log(maximum, sum);
}

void attend_segment(const PlannedSegment& segment, const reference::Merge& rule, std::int64_t block, Outputs& outputs) {
    const SegmentPlan& plan = segment.plan;
    const reference::Sequence& sequence = segment.rows.sequence();
    for (std::int64_t start = 0; start < plan.segment.rows(); start += block) {
        std::vector<std::vector<std::int64_t>> keys;
        for (const ModeLists& lists : plan.modes) keys.push_back(tile_keys(plan, lists, start, block).keys());
        for (std::int64_t m = start; m < std::min(start + block, plan.segment.rows()); ++m) {
            const std::int64_t row = plan.segment.row_begin + m;
            std::vector<Part> parts;
            for (std::size_t n = 0; n < plan.modes.size(); ++n) {
                const ModeLists& lists = plan.modes[n];
                const auto end = std::lower_bound(keys[n].begin(), keys[n].end(), visible_keys(lists, m));
                parts.push_back(attend(segment, lists, {keys[n].begin(), end}, row));
            }
            const std::int64_t at = sequence.query_begin + row;
            const auto channels = static_cast<std::size_t>(outputs.out.extent(3));
            merge(rule, parts, {&outputs.out(sequence.batch, at, plan.head, 0), channels},
                  outputs.lse(sequence.batch, plan.head, at));
        }
    }
}

}  // namespace

Outputs sparse_forward(const Problem& problem, const Inputs& inputs, const SparseConfig& config) {
    validate(problem);
    Outputs outputs{Tensor4(out_extents(problem.shape)), Tensor3(lse_extents(problem.shape))};
    std::ranges::fill(outputs.lse.values(), minus_infinity);
    const reference::Merge rule(problem);
    for_each_plan(problem, inputs, config,
                  [&](const PlannedSegment& segment) { attend_segment(segment, rule, config.block, outputs); });
    return outputs;
}

}  // namespace dca::sparse
