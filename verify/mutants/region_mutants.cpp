// Wrong sets of keys (Def.3): lost, seen twice, or seen too early.
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

using peer::At;
using peer::Plan;
using peer::Segment;

/// The honest plan, each segment replaced by what `edit(at, segment, plan)` appends.
template <class Edit>
void edit(Change& change, Edit edit_segment) {
    change.method.plan = [edit_segment](const At& at) {
        Plan plan;
        for (const Segment& segment : peer::honest_plan(at)) edit_segment(at, segment, plan);
        std::erase_if(plan, [](const Segment& segment) { return segment.begin >= segment.end; });
        return plan;
    };
}

template <int dropped>
void without_mode(Change& change) {
    edit(change, [](const At&, const Segment& segment, Plan& plan) {
        if (segment.mode != dropped) plan.push_back(segment);
    });
}

/// Intra keys end `by` keys later, or before if negative, and within the sequence.
template <int by>
void causal_edge(Change& change) {
    edit(change, [](const At& at, Segment segment, Plan& plan) {
        const bool last = segment.end == at.i + 1;
        if (last) segment.end = std::min(segment.end + by, at.part.keys());
        plan.push_back(segment);
    });
}

void not_causal(Change& change) {
    edit(change, [](const At& at, Segment segment, Plan& plan) {
        const std::int64_t length = at.problem.chunk.chunk_len();
        if (segment.mode == 0) segment.end = std::min(at.i / length * length + length, at.part.keys());
        plan.push_back(segment);
    });
}

/// The border between succ and intra keys one key late.
void border_one_late(Change& change) {
    edit(change, [](const At& at, Segment segment, Plan& plan) {
        if (segment.mode == 1) segment.end = std::min(segment.end + 1, at.part.keys());
        if (segment.mode == 0 && segment.begin > 0) ++segment.begin;
        plan.push_back(segment);
    });
}

void far_tile_lost(Change& change) {
    edit(change, [](const At&, Segment segment, Plan& plan) {
        if (segment.mode == 2) segment.begin = std::min(segment.begin + small_tile, segment.end);
        plan.push_back(segment);
    });
}

void last_key_tile_lost(Change& change) {
    edit(change, [](const At& at, Segment segment, Plan& plan) {
        segment.end = std::min(segment.end, at.part.keys() / small_tile * small_tile);
        plan.push_back(segment);
    });
}

void part_tile_lost(Change& change) {
    edit(change, [](const At&, Segment segment, Plan& plan) {
        if (segment.mode != 0) segment.end -= (segment.end - segment.begin) % small_tile;
        plan.push_back(segment);
    });
}

/// A last tile that does not fit starts earlier, over keys that were there already.
void part_tile_twice(Change& change) {
    edit(change, [](const At&, const Segment& segment, Plan& plan) {
        const std::int64_t keys = segment.end - segment.begin, rest = keys % small_tile;
        plan.push_back(segment);
        if (segment.mode == 0 || rest == 0 || keys < small_tile) return;
        plan.push_back({segment.mode, segment.end - small_tile, segment.end - rest, segment.position});
    });
}

void stale_tile(Change& change) {
    change.method.key_source = [](const peer::Part& part, std::int64_t j) {
        const std::int64_t last = (part.keys() - 1) / small_tile;
        return j / small_tile == last && last > 0 ? j - small_tile : j;
    };
    change.method.source_rotated = true;
}
bool has_two_tiles(const Problem& p) {
    const auto parts = peer::parts_of(p);
    return std::ranges::any_of(parts, [](const peer::Part& part) { return part.keys() > small_tile; });
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&) = nullptr) {
    return {id, title, hazard, example, Family::region, change, possible};
}

constexpr std::array mutants{
    in("inter-dropped", "attention without the keys two or more chunks back (inter)", "H62",
       "memory claims of O(n c) imply it (Megatron-LM issue #2797)", without_mode<2>),
    in("succ-dropped", "attention without the keys of the chunk before (succ)", "", "", without_mode<1>),
    in("succ-and-inter-dropped", "attention within chunks alone", "H8", "MLX quanta qwen25 at prefill",
       [](Change& change) {
           edit(change, [](const At&, const Segment& segment, Plan& plan) {
               if (segment.mode == 0) plan.push_back(segment);
           });
       }),
    in("diagonal-dropped", "a causal edge one too early: no query sees its own key", "H6",
       "arXiv 2402.17463, Algorithm 1", causal_edge<-1>),
    in("causal-plus-one", "a causal edge one too late: every query sees the key after it", "H38", "", causal_edge<1>),
    in("intra-not-causal", "no causal mask within the chunk", "H59", "Edifice DualChunk", not_causal),
    in("chunk-border-one-late", "the first key of a chunk met as one of the chunk before", "", "", border_one_late),
    in("far-tile-lost", "the first 16 keys lost by every query that meets them as inter keys", "", "", far_tile_lost),
    in("last-key-tile-lost", "the keys of the last tile of 16 lost where it is not full", "", "", last_key_tile_lost),
    in("part-tile-lost", "succ and inter keys cut to whole tiles of 16", "H51",
       "SGLang and vLLM where chunk_len is no multiple of the block", part_tile_lost),
    in("part-tile-twice", "keys counted twice where a last tile of 16 was moved back to fit", "H57",
       "vLLM and SGLang sparse prefill (ranges extended to the tile)", part_tile_twice),
    in("stale-tile", "the last tile of 16 keys not loaded: the one before is used again", "", "", stale_tile,
       has_two_tiles),
};

}  // namespace

std::span<const Mutant> region_mutants() {
    return mutants;
}

}  // namespace dca::mutants
