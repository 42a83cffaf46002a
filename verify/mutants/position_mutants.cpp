// Right keys at wrong positions (Def.2).
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

using peer::At;
using peer::Plan;
using peer::Segment;

/// The honest plan with the positions of `position(at, mode)`.
template <class Position>
void place(Change& change, Position position) {
    change.method.plan = [position](const At& at) {
        Plan plan = peer::honest_plan(at);
        for (Segment& segment : plan) segment.position = position(at, segment.mode);
        return plan;
    };
}

struct Chunk {
    std::int64_t limit, length, r;
};
Chunk chunk_of(const At& at) {
    const ChunkConfig& chunk = at.problem.chunk;
    return {chunk.chunk_size, chunk.chunk_len(), at.i % chunk.chunk_len()};
}

/// Def.2 with another clamp.
std::int64_t clamped(const Chunk& c, int mode, std::int64_t limit) {
    return mode == 0 ? c.r : std::min(mode == 1 ? c.r + c.length : 2 * c.length - 1, limit);
}
std::int64_t right(const At& at, int mode) {
    return peer::query_position(at.problem.chunk, at.i, mode);
}

void clamp_one_short(Change& change) {
    place(change, [](const At& at, int mode) { return clamped(chunk_of(at), mode, chunk_of(at).limit - 1); });
}
void clamp_one_long(Change& change) {
    place(change, [](const At& at, int mode) { return clamped(chunk_of(at), mode, chunk_of(at).limit + 1); });
}
void clamp_missing(Change& change) {
    place(change,
          [](const At& at, int mode) { return mode == 1 ? chunk_of(at).r + chunk_of(at).length : right(at, mode); });
}
void inter_at_chunk_size(Change& change) {
    place(change, [](const At& at, int mode) { return mode == 2 ? chunk_of(at).limit : right(at, mode); });
}
void inter_unclamped(Change& change) {
    place(change, [](const At& at, int mode) { return mode == 2 ? 2 * chunk_of(at).length - 1 : right(at, mode); });
}
void inter_one_short(Change& change) {
    place(change, [](const At& at, int mode) { return right(at, mode) - (mode == 2 ? 1 : 0); });
}
void inter_at_zero(Change& change) {
    place(change, [](const At& at, int mode) { return mode == 2 ? 0 : right(at, mode); });
}
void succ_inter_swapped(Change& change) {
    place(change, [](const At& at, int mode) { return right(at, mode == 0 ? 0 : 3 - mode); });
}
void succ_at_inter(Change& change) {
    place(change, [](const At& at, int mode) { return right(at, mode == 1 ? 2 : mode); });
}
void inter_at_succ(Change& change) {
    place(change, [](const At& at, int mode) { return right(at, mode == 2 ? 1 : mode); });
}
void local_positions(Change& change) {
    place(change, [](const At& at, int) { return chunk_of(at).r; });
}
void plain_rope(Change& change) {
    change.method.plan = [](const At& at) {
        const std::int64_t end = std::min(at.i + 1, at.part.keys());
        return end > 0 ? Plan{{0, 0, end, at.i}} : Plan{};
    };
    change.method.key_position = [](const Problem&, const peer::Part&, std::int64_t j) { return j; };
}
void keys_at_absolute_positions(Change& change) {
    change.method.key_position = [](const Problem&, const peer::Part&, std::int64_t j) { return j; };
}
void stride_is_chunk_size(Change& change) {
    change.problem.chunk.local_size = 0;
}
/// Positions by L, but which keys are of which mode by C.
void chunks_by_chunk_size(Change& change) {
    change.method.plan = [](const At& at) {
        Problem wide = at.problem;
        wide.chunk.local_size = 0;
        Plan plan = peer::honest_plan({wide, at.part, at.row, at.i});
        for (Segment& segment : plan) segment.position = right(at, segment.mode);
        return plan;
    };
}
void query_offset_ignored(Change& change) {
    change.problem.query_offset = 0;
}
void query_offset_assumed(Change& change) {
    change.problem.query_offset.reset();
}

bool has_offset(const Problem& p) {
    return !p.packed() && p.resolved_query_offset() != 0;
}
bool has_other_offset(const Problem& p) {
    return !p.packed() && p.resolved_query_offset() != p.shape.seq_k - p.shape.seq_q;
}

constexpr Mutant at(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&) = rotates) {
    return {id, title, hazard, example, Family::position, change, possible};
}

constexpr std::array mutants{
    at("clamp-one-short", "the paper's clamp chunk_size - 1 instead of the code's chunk_size", "H1",
       "arXiv 2402.17463 against every implementation", clamp_one_short),
    at("clamp-one-long", "positions clamped at chunk_size + 1", "H1", "", clamp_one_long),
    at("clamp-missing", "successive positions without the clamp at chunk_size", "H58",
       "the selection queries of vLLM and SGLang; MLX quanta qwen25", clamp_missing),
    at("inter-at-chunk-size", "the inter position chunk_size even where 2 chunk_len - 1 is less", "H3",
       "the zerollama llama.cpp fork", inter_at_chunk_size),
    at("inter-unclamped", "the inter position 2 chunk_len - 1 even where chunk_size is less", "H3", "",
       inter_unclamped),
    at("inter-one-short", "the inter position one too small", "H1", "arXiv 2402.17463 (c - 1)", inter_one_short),
    at("inter-at-zero", "inter keys met by a query at position 0", "", "", inter_at_zero),
    at("succ-inter-swapped", "the successive and the inter query exchanged", "", "", succ_inter_swapped),
    at("succ-at-inter", "the keys of the chunk before met by the inter query", "", "", succ_at_inter),
    at("inter-at-succ", "the keys two or more chunks back met by the successive query", "H8",
       "MLX quanta qwen25 at decode", inter_at_succ),
    at("local-positions", "one query for all modes, at its position within the chunk", "", "", local_positions),
    at("plain-rope", "ordinary RoPE attention: positions without chunks, so no DCA at all", "H46",
       "Megatron-LM draft PR #4048 at inference", plain_rope),
    at("keys-at-absolute-positions", "keys rotated by their place in the sequence instead of in the chunk", "H46", "",
       keys_at_absolute_positions),
    at("stride-is-chunk-size", "chunks of chunk_size keys: the stride is chunk_size - local_size", "H2",
       "the paper's use of the name", stride_is_chunk_size),
    at("chunks-by-chunk-size", "modes decided by chunks of chunk_size keys, positions by chunks of the stride", "H8",
       "a Qwen3-MoE RAG utility (dca_attend)", chunks_by_chunk_size),
    at("query-offset-ignored", "a causal mask aligned to the first key instead of the last: query_offset ignored", "",
       "FlashAttention before 2.1", query_offset_ignored, has_offset),
    at("query-offset-assumed", "query_offset taken to be seq_k - seq_q, whatever it is", "",
       "FlashAttention from 2.1 on, with keys beyond the last query", query_offset_assumed, has_other_offset),
};

}  // namespace

std::span<const Mutant> position_mutants() {
    return mutants;
}

}  // namespace dca::mutants
