// Wrong borders between packed sequences.
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

using peer::At;
using peer::Part;
using peer::Plan;
using peer::Segment;

/// Own keys alone, but chunks and positions counted from the first token of all.
void not_restarted(Change& change) {
    change.method.plan = [](const At& at) {
        const std::int64_t before = at.part.key_begin, i = before + at.i;
        const auto reach = peer::reaches(at.problem.chunk, i, before + at.part.keys());
        Plan plan;
        for (int mode : {2, 1, 0}) {
            const peer::Reach& keys = reach[static_cast<std::size_t>(mode)];
            const std::int64_t begin = std::max<std::int64_t>(keys.begin - before, 0), end = keys.end - before;
            if (begin < end) plan.push_back({mode, begin, end, peer::query_position(at.problem.chunk, i, mode)});
        }
        return plan;
    };
    change.method.key_position = [](const Problem& problem, const Part& part, std::int64_t j) {
        return peer::key_position(problem.chunk, part.key_begin + j);
    };
}

void joined(Change& change) {
    change.problem.cu_seqlens = {0, change.problem.cu_seqlens.back()};
}

/// Sequences begin at whole tiles: keys of the neighbour that lie in the first tile are seen, at positions before 0
/// taken modulo the stride, and their dk and dv overwritten.
void neighbour_leak(Change& change) {
    change.method.parts = [](const Problem& problem) {
        std::vector<Part> parts = peer::parts_of(problem);
        for (Part& part : parts) {
            const std::int64_t lead = part.key_begin % small_tile;
            part.key_begin -= lead;
            part.offset = lead;
        }
        return parts;
    };
    change.method.plan = [](const At& at) {
        const std::int64_t lead = at.part.offset;
        Part own = at.part;
        own.key_begin += lead;
        own.offset = 0;
        Plan plan = peer::honest_plan({at.problem, own, at.row, at.row});
        for (Segment& segment : plan) {
            segment.begin += lead;
            segment.end += lead;
        }
        plan.front().begin = 0;
        return plan;
    };
    change.method.key_position = [](const Problem& problem, const Part& part, std::int64_t j) {
        const std::int64_t length = problem.chunk.chunk_len(), own = j - part.offset;
        return own >= 0 ? own % length : (own % length + length) % length;
    };
}

void dynamic_by_batch(Change& change) {
    change.problem.rope.inv_freq = peer::frequencies(change.problem, change.problem.shape.seq_k);
}
bool has_dynamic(const Problem& p) {
    return p.packed() && rotates(p) && p.rope.scaling == RopeScaling::dynamic && p.rope.inv_freq.empty() &&
           std::ranges::any_of(peer::parts_of(p), [&](const Part& part) {
               return peer::frequencies(p, part.keys()) != peer::frequencies(p, p.shape.seq_k);
           });
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&) = is_packed) {
    return {id, title, hazard, example, Family::packed, change, possible};
}

constexpr std::array mutants{
    in("positions-not-restarted", "chunks and positions counted through all packed sequences", "H37",
       "ChunkLlama (positions by column of the batch)", not_restarted),
    in("sequences-joined", "sequence boundaries ignored: cu_seqlens treated as one sequence", "", "", joined),
    in("neighbour-leak", "sequences that begin at whole tiles of 16: the first tile shows keys of the neighbour", "",
       "", neighbour_leak),
    Mutant{"dynamic-by-batch-length", "dynamic RoPE scaling by the tokens of the batch instead of the sequence's",
           "H20", "vLLM and SGLang (lengths of the batch)", Family::rotation, dynamic_by_batch, has_dynamic},
};

}  // namespace

std::span<const Mutant> packed_mutants() {
    return mutants;
}

}  // namespace dca::mutants
