// What every segment of every head attends to, as data: forward, statistics and programs that show it read this.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reference/sparse/tile_keys.hpp"

namespace dca::sparse {

/// The selection of one query head in one segment.
struct SegmentPlan {
    std::int64_t sequence;  ///< index into reference::sequences(problem)
    std::int64_t head;      ///< query head
    Segment segment;
    bool dense;  ///< the prompt is not above the threshold: every visible key is attended and picks is empty
    HeadSizes sizes;
    Picks picks;
    std::vector<ModeLists> modes;  ///< inter, succ, intra; absent where there are no keys
    double vote_margin;            ///< margin() of the votes (selection.hpp); +infinity where dense
    double vote_error;             ///< vote_error_bound() (vote_error.hpp)
    /// No honest kernel of the problem's dtype picks otherwise: two votes at the border may be off in opposite ways.
    [[nodiscard]] bool settled() const { return vote_margin > 2 * vote_error; }
};

/// Keys of the tile that starts at row `start` of the plan's segment, in one of the plan's modes.
[[nodiscard]] TileKeys tile_keys(const SegmentPlan& plan, const ModeLists& lists, std::int64_t start,
                                 std::int64_t block);

/// A plan, its rows, the rotated keys of its kv head, and its place in the order of plans().
struct PlannedSegment {
    const SegmentPlan& plan;
    const SequenceRows& rows;
    std::span<const double> keys;
    std::size_t place;
};

/// Makes every plan and calls body with it, on several threads and in no fixed order; body writes only what is its
/// plan's own. Throws InvalidProblem (problem, inputs, config) or Unsupported (refusals.hpp, segments, mode_lists).
void for_each_plan(const Problem& problem, const Inputs& inputs, const SparseConfig& config,
                   const std::function<void(const PlannedSegment&)>& body);

/// All plans, by sequence, then head, then segment. Errors as for_each_plan.
[[nodiscard]] std::vector<SegmentPlan> plans(const Problem& problem, const Inputs& inputs, const SparseConfig& config);

}  // namespace dca::sparse
