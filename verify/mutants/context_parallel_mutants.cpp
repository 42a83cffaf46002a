// Mistakes of a ring of two ranks, each with half of the sequence, seen in the gathered result.
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

using peer::At;
using peer::Plan;
using peer::Segment;

/// The honest plan with segments cut at the middle key; `edit(at, segment, remote, plan)` appends what becomes of each:
/// remote: the query is in the second half and the keys are in the first.
template <class Edit>
void ring(Change& change, Edit edit) {
    change.method.plan = [edit](const At& at) {
        const std::int64_t half = at.part.keys() / 2;
        Plan plan;
        for (const Segment& segment : peer::honest_plan(at)) {
            Segment low = segment, high = segment;
            low.end = std::clamp(half, segment.begin, segment.end);
            high.begin = low.end;
            if (low.begin < low.end) edit(at, low, at.i >= half, plan);
            if (high.begin < high.end) edit(at, high, false, plan);
        }
        return plan;
    };
}

void step_skipped(Change& change) {
    ring(change, [](const At&, const Segment& segment, bool remote, Plan& plan) {
        if (!remote) plan.push_back(segment);
    });
}
void diagonal_twice(Change& change) {
    ring(change, [](const At& at, const Segment& segment, bool remote, Plan& plan) {
        plan.push_back(segment);
        if (!remote && at.i >= at.part.keys() / 2) plan.push_back(segment);
    });
}
void stale_keys(Change& change) {
    ring(change, [](const At& at, Segment segment, bool remote, Plan& plan) {
        const std::int64_t half = at.part.keys() / 2;
        if (remote) {
            segment.begin += half;
            segment.end += half;
        }
        plan.push_back(segment);
    });
}

/// A token's place if the four pieces of the zig-zag order, 0 3 on rank 0 and 1 2 on rank 1, are taken for contiguous.
std::int64_t contiguous(std::int64_t token, std::int64_t keys) {
    const std::int64_t piece = keys / 4, number = std::min<std::int64_t>(token / piece, 3);
    constexpr std::array<std::int64_t, 4> place{0, 2, 3, 1};
    return place[static_cast<std::size_t>(number)] * piece + token - number * piece;
}
void zigzag_positions(Change& change) {
    change.method.plan = [](const At& at) {
        Plan plan = peer::honest_plan(at);
        for (Segment& segment : plan)
            segment.position = peer::query_position(at.problem.chunk, contiguous(at.i, at.part.keys()), segment.mode);
        return plan;
    };
    change.method.key_position = [](const Problem& problem, const peer::Part& part, std::int64_t j) {
        return peer::key_position(problem.chunk, contiguous(j, part.keys()));
    };
}
bool can_zigzag(const Problem& p) {
    return rotates(p) && !p.packed() && p.resolved_query_offset() == 0 && p.shape.seq_k == p.shape.seq_q &&
           p.shape.seq_k >= 8;
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&) = nullptr) {
    return {id, title, hazard, example, Family::context_parallel, change, possible};
}

constexpr std::array mutants{
    in("ring-step-skipped", "a ring of two without its second step: the second half does not see the first", "", "",
       step_skipped),
    in("ring-diagonal-twice", "a ring of two that counts the second half's own piece twice", "", "", diagonal_twice),
    in("ring-stale-keys", "a ring of two that reads its own keys again in its second step", "",
       "diffusers #14265 (the ring reuses the first keys)", stale_keys),
    in("zigzag-positions", "positions of a zig-zag split taken from a contiguous one", "",
       "Megatron-LM draft PR #4048 under context parallelism, where it is not refused", zigzag_positions, can_zigzag),
};

}  // namespace

std::span<const Mutant> context_parallel_mutants() {
    return mutants;
}

}  // namespace dca::mutants
