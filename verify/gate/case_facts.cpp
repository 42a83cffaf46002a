#include "verify/gate/case_facts.hpp"

#include <algorithm>

namespace dca::verify {
namespace {

/// One sequence: queries at positions [offset, offset + rows), keys at [0, keys).
void add_sequence(CaseFacts& facts, const ChunkConfig& chunk, std::int64_t offset, std::int64_t rows,
                  std::int64_t keys) {
    const std::int64_t stride = chunk.chunk_len();
    facts.longest = std::max({facts.longest, offset + rows, keys});
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t query = offset + row, seen = std::clamp<std::int64_t>(query + 1, 0, keys);
        if (seen == 0) ++facts.rows_without_keys;
        const std::int64_t own = query < 0 ? 0 : query / stride * stride;  // where its chunk begins
        const std::int64_t inter = std::min(std::max<std::int64_t>(own - stride, 0), seen);
        const std::int64_t succ = std::min(own, seen) - inter;
        if ((inter > 0) + (succ > 0) + (seen > inter + succ) > 1) ++facts.mixed_rows;
        facts.inter += static_cast<double>(inter);
        facts.succ += static_cast<double>(succ);
        facts.intra += static_cast<double>(seen - inter - succ);
        // A query at place p of its chunk has the succ position min(p + L, C).
        facts.clamped = facts.clamped || (succ > 0 && query - own + stride > chunk.chunk_size);
    }
}

}  // namespace

CaseFacts facts_of(const golden::CaseSpec& spec) {
    const Problem& problem = spec.problem;
    CaseFacts facts;
    facts.gradient = spec.recipe.gradient;
    if (!problem.packed()) {
        add_sequence(facts, problem.chunk, problem.resolved_query_offset(), problem.shape.seq_q, problem.shape.seq_k);
        return facts;
    }
    for (std::size_t s = 0; s + 1 < problem.cu_seqlens.size(); ++s) {
        const std::int64_t rows = problem.cu_seqlens[s + 1] - problem.cu_seqlens[s];
        add_sequence(facts, problem.chunk, 0, rows, rows);
    }
    return facts;
}

}  // namespace dca::verify
