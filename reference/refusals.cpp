#include "reference/refusals.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

std::string text(std::int64_t value) {
    return std::to_string(value);
}

/// Collects what every refusal needs to say.
class Refusal {
public:
    explicit Refusal(const Problem& p) : problem(p), dialect(dialect_of(p)) {}

    [[noreturn]] void refuse(const std::string& why) const {
        throw Unsupported("dialect " + std::string(dialect.name) + " cannot run this: " + why);
    }
    const Problem& problem;
    const Dialect& dialect;
};

void check_rope(const Refusal& r) {
    const RopeConfig& rope = r.problem.rope;
    const bool scaled = rope.scaling != RopeScaling::none;
    if (rope.layout == RopeLayout::interleaved && !r.dialect.interleaved) {
        r.refuse("its code rotates halves only (rope neox), not rope interleaved (H10)");
    }
    if (r.dialect.scaling == ScalingSupport::none && scaled) {
        r.refuse("it raises ValueError for rope_scaling " + std::string(name(rope.scaling)) + "; only none runs (H15)");
    }
    if (r.dialect.scaling == ScalingSupport::linear_only && scaled && rope.scaling != RopeScaling::linear) {
        r.refuse("of rope_scaling its code replaces none and linear only, not " + std::string(name(rope.scaling)) +
                 "; inputs/inv_freq gives any other frequencies (H15)");
    }
    if (r.dialect.scaling != ScalingSupport::any && rope.mscale.value_or(1) != 1) {
        r.refuse("its code has no mscale; leave the attribute out (its length factor follows from dialect_* facts)");
    }
}

void check_heads_and_chunks(const Refusal& r) {
    const Problem& p = r.problem;
    if (p.shape.heads_kv != p.shape.heads_q && !r.dialect.grouped_heads) {
        r.refuse("it repeats the key heads twice, so grouped heads end with a wrong head count: heads_kv must be " +
                 text(p.shape.heads_q) + " like heads_q, it is " + text(p.shape.heads_kv) + " (H39)");
    }
    if (p.shape.head_dim_v != p.shape.head_dim && !r.dialect.own_value_dim) {
        r.refuse("its last reshape takes the head size of q: head_dim_v must be " + text(p.shape.head_dim) +
                 ", it is " + text(p.shape.head_dim_v) + " (H47)");
    }
    const std::int64_t len = p.chunk.chunk_len();
    if (len < r.dialect.min_chunk_len) {
        r.refuse(
            "at chunk_len 1 its one-row query table loses its row axis and every dim turns by the angle of the "
            "first pair; chunk_size - local_size must be at least 2 (H7)");
    }
    const std::int64_t page = p.facts.page_size.value_or(1);
    if (len % page != 0) {
        r.refuse("chunk_size - local_size = " + text(len) + " is not a multiple of dialect_page_size " + text(page) +
                 " (H51)");
    }
}

void check_layout(const Refusal& r) {
    const Problem& p = r.problem;
    if (p.packed() && !r.dialect.packed) r.refuse("it has no packed sequences; cu_seqlens must be absent (H37)");
    if (p.packed()) return;
    const std::int64_t offset = p.resolved_query_offset();
    const auto& prompts = p.facts.prompt_length;
    const bool unequal = std::adjacent_find(prompts.begin(), prompts.end(), std::not_equal_to<>()) != prompts.end();
    if (r.dialect.table == TableLimit::cache_rows && unequal) {
        r.refuse("its cache has one length for the whole batch; dialect_prompt_length must be the same for all (H42)");
    }
    const bool whole = offset == 0 && p.shape.seq_q == p.shape.seq_k;
    if (whole) return;
    if (r.dialect.cache == CacheUse::none) {
        r.refuse("it has no DCA with cached keys, its inference is plain RoPE: seq_q must be seq_k " +
                 text(p.shape.seq_k) + " and query_offset 0 (H46)");
    }
    if (r.dialect.cache == CacheUse::one_token && p.resolved_phase() == Phase::prefill) {
        r.refuse(
            "several new tokens with cached keys ignore causality among themselves; dialect_phase decode computes "
            "them one by one (H38)");
    }
    if (offset < 0 || offset + p.shape.seq_q > p.shape.seq_k) {
        r.refuse("rows " + text(offset) + " to " + text(offset + p.shape.seq_q - 1) + " are not all among its " +
                 text(p.shape.seq_k) + " keys");
    }
}

void check_tables(const Refusal& r) {
    const Problem& p = r.problem;
    const std::int64_t len = p.chunk.chunk_len(), last = std::min(2 * len - 1, p.chunk.chunk_size);
    if (r.dialect.table == TableLimit::query_positions && p.shape.seq_k > len) {
        const std::int64_t rows = p.facts.table_rows.value_or(p.shape.seq_k);
        if (rows <= last) {
            r.refuse("index out of range: its rotary table has " + text(rows) + " rows and position " + text(last) +
                     " is looked up. It runs for seq_k up to " + text(len) + " and from " + text(last + 1) +
                     " on, or with dialect_table_rows of at least " + text(last + 1) + " (H43)");
        }
    }
    std::int64_t keys = 0;
    for (const Sequence& s : sequences(p)) keys = std::max(keys, s.key_count());
    const auto limit = r.dialect.table == TableLimit::key_index    ? p.facts.max_position_embeddings
                       : r.dialect.table == TableLimit::cache_rows ? std::optional(p.facts.table_rows.value_or(33280))
                                                                   : std::nullopt;
    if (limit && keys > *limit) {
        const char* what = r.dialect.table == TableLimit::key_index ? "dialect_max_position_embeddings" : "cache rows";
        r.refuse("index out of range: " + text(keys) + " keys, " + what + " " + text(*limit) + " (H14)");
    }
}

void check_temperature(const Refusal& r) {
    const auto original = r.problem.facts.original_max_position_embeddings;
    const bool prefill = r.problem.resolved_phase() == Phase::prefill;
    if (!r.dialect.original_may_be_0 && prefill && original == 0) {
        r.refuse(
            "dialect_original_max_position_embeddings 0, its documented default, raises TypeError in every "
            "prefill; leave it out for no length factor (H24)");
    }
    if (r.dialect.temperature.place != TemperaturePlace::undocumented || original.value_or(0) == 0) return;
    for (const Sequence& s : sequences(r.problem)) {
        if (std::max(s.key_count(), s.offset + s.query_count()) > *original) {
            r.refuse(
                "no source says where its length factor acts; it is 1 up to "
                "dialect_original_max_position_embeddings " +
                text(*original) + " tokens (H17)");
        }
    }
}

void check_prompt_count(const Refusal& r) {
    const DialectFacts& facts = r.problem.facts;
    std::int64_t count = r.problem.shape.batch;
    if (r.problem.packed()) count = static_cast<std::int64_t>(r.problem.cu_seqlens.size()) - 1;
    const auto given = static_cast<std::int64_t>(facts.prompt_length.size());
    if (given > 1 && given != count) {
        throw InvalidProblem("dialect_prompt_length has " + text(given) + " values for " + text(count) + " sequences");
    }
}

void check_facts(const Refusal& r) {
    check_prompt_count(r);
    if (r.problem.packed() && r.problem.resolved_phase() == Phase::decode) {
        throw InvalidProblem("dialect_phase decode needs unpacked sequences");
    }
}

/// Before everything else, and for `exact` too.
void check_sparse(const Refusal& r, bool gradients) {
    if (!r.problem.sparse_prefill()) return;
    if (r.dialect.name != "exact" && r.dialect.name != "vllm" && r.dialect.name != "sglang") {
        r.refuse(
            "only vllm and sglang have a sparse prefill, and exact computes it; use one of them, or leave the "
            "dialect_sparse_* facts out");
    }
    if (gradients) {
        r.refuse(
            "a sparse prefill has no backward; leave out inputs/dout (gradient=0 in a case text) or the "
            "dialect_sparse_* facts");
    }
    check_prompt_count(r);
}

}  // namespace

void require_reproducible(const Problem& problem, bool gradients) {
    const Refusal refusal(problem);
    check_sparse(refusal, gradients);
    if (refusal.dialect.name == "exact") return;  // nothing else that validate() lets pass
    check_facts(refusal);
    check_rope(refusal);
    check_heads_and_chunks(refusal);
    check_layout(refusal);
    check_tables(refusal);
    check_temperature(refusal);
}

void require_dense(const Problem& problem) {
    if (!problem.sparse_prefill()) return;
    throw Unsupported(
        "this computes dense attention, but the dialect_sparse_* facts ask for a sparse prefill; leave them out (dca "
        "generate, run and sparse compute it)");
}

}  // namespace dca::reference
