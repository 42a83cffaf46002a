#include "verify/gate/tags.hpp"

#include <algorithm>
#include <array>

namespace dca::verify {
namespace {

using golden::CaseSpec;

constexpr std::int64_t long_rows = 256;                       // more than any tile of a kernel
constexpr std::int64_t far_position = std::int64_t{1} << 24;  // float32 holds no larger odd number

bool scaled_by(const CaseSpec& spec, RopeScaling scaling) {
    return spec.problem.rope.scaling == scaling;
}

constexpr std::array tags{
    // --- what the queries see
    Tag{"succ", "some query sees a key of the chunk before its own", [](auto&, auto& f) { return f.succ > 0; }},
    Tag{"inter", "some query sees a key two or more chunks back", [](auto&, auto& f) { return f.inter > 0; }},
    Tag{"one-chunk", "every visible pair lies in one chunk: plain causal attention",
        [](auto&, auto& f) { return f.succ + f.inter == 0; }},
    Tag{"clamped", "some succ position is cut to chunk_size", [](auto&, auto& f) { return f.clamped; }},
    Tag{"ragged", "the longest sequence is no multiple of the stride chunk_size - local_size",
        [](auto& s, auto& f) { return f.longest % s.problem.chunk.chunk_len() != 0; }},
    Tag{"stride-1", "every row is a chunk of its own", [](auto& s, auto&) { return s.problem.chunk.chunk_len() == 1; }},
    Tag{"empty-rows", "some query sees no key", [](auto&, auto& f) { return f.rows_without_keys > 0; }},
    // --- layout
    Tag{"batch", "several batch entries", [](auto& s, auto&) { return s.problem.shape.batch > 1; }},
    Tag{"packed", "sequences one after the other, cu_seqlens", [](auto& s, auto&) { return s.problem.packed(); }},
    Tag{"decode", "one query, several keys",
        [](auto& s, auto&) { return !s.problem.packed() && s.problem.shape.seq_q == 1 && s.problem.shape.seq_k > 1; }},
    Tag{"chunked-prefill", "several queries that begin behind earlier keys",
        [](auto& s, auto&) {
            return !s.problem.packed() && s.problem.shape.seq_q > 1 && s.problem.resolved_query_offset() > 0;
        }},
    Tag{"gqa", "several query heads read one key head",
        [](auto& s, auto&) { return s.problem.shape.heads_q != s.problem.shape.heads_kv; }},
    Tag{"mqa", "all query heads read one key head",
        [](auto& s, auto&) { return s.problem.shape.heads_kv == 1 && s.problem.shape.heads_q > 1; }},
    Tag{"other-v-dim", "head_dim_v is not head_dim",
        [](auto& s, auto&) { return s.problem.shape.head_dim_v != s.problem.shape.head_dim; }},
    Tag{"long", "256 rows or more in a sequence", [](auto&, auto& f) { return f.longest >= long_rows; }},
    Tag{"far", "positions from 2^24 on", [](auto&, auto& f) { return f.longest > far_position; }},
    // --- what is computed
    Tag{"backward", "gradients are wanted", [](auto&, auto& f) { return f.gradient; }},
    Tag{"half", "f16 or bf16",
        [](auto& s, auto&) { return s.problem.dtype == Dtype::f16 || s.problem.dtype == Dtype::bf16; }},
    Tag{"fp8", "e4m3 or e5m2",
        [](auto& s, auto&) { return s.problem.dtype == Dtype::e4m3 || s.problem.dtype == Dtype::e5m2; }},
    Tag{"work-types", "P, accumulator or output types are given",
        [](auto& s, auto&) { return s.problem.work != WorkTypes{}; }},
    // --- rotary settings
    Tag{"no-rope", "nothing is rotated", [](auto& s, auto&) { return s.problem.rope.layout == RopeLayout::none; }},
    Tag{"interleaved", "pairs are neighbours",
        [](auto& s, auto&) { return s.problem.rope.layout == RopeLayout::interleaved; }},
    Tag{"partial-rotary", "some channels are not rotated",
        [](auto& s, auto&) {
            return s.problem.rope.layout != RopeLayout::none &&
                   s.problem.resolved_rotary_dim() < s.problem.shape.head_dim;
        }},
    Tag{"rope-scaling", "any rope_scaling", [](auto& s, auto&) { return !scaled_by(s, RopeScaling::none); }},
    Tag{"linear", "rope_scaling=linear", [](auto& s, auto&) { return scaled_by(s, RopeScaling::linear); }},
    Tag{"ntk", "rope_scaling=ntk", [](auto& s, auto&) { return scaled_by(s, RopeScaling::ntk); }},
    Tag{"dynamic", "rope_scaling=dynamic", [](auto& s, auto&) { return scaled_by(s, RopeScaling::dynamic); }},
    Tag{"yarn", "rope_scaling=yarn", [](auto& s, auto&) { return scaled_by(s, RopeScaling::yarn); }},
    Tag{"llama3", "rope_scaling=llama3", [](auto& s, auto&) { return scaled_by(s, RopeScaling::llama3); }},
    Tag{"inv-freq", "frequencies are given", [](auto& s, auto&) { return !s.problem.rope.inv_freq.empty(); }},
    // --- values
    Tag{"peaked", "q and k are enlarged, so that few keys take all weight",
        [](auto& s, auto&) { return s.recipe.qk_scale > 1; }},
    Tag{"chunk-means", "v has another mean in every other chunk",
        [](auto& s, auto&) { return s.recipe.v_offset != 0; }},
    Tag{"constant-v", "v is the same for every key", [](auto& s, auto&) { return s.recipe.constant_v; }},
    // --- other kinds
    Tag{"dialect", "a published behaviour other than exact",
        [](auto& s, auto&) { return s.problem.dialect != "exact"; }},
    Tag{"sparse", "vertical-slash sparse prefill", [](auto& s, auto&) { return s.problem.sparse_prefill(); }},
    Tag{"probe", "a position probe", [](auto& s, auto&) { return s.recipe.probe; }},
};

}  // namespace

std::span<const Tag> known_tags() {
    return tags;
}

std::vector<std::string_view> tag_names() {
    std::vector<std::string_view> names;
    for (const Tag& tag : tags) names.push_back(tag.name);
    names.insert(names.end(), {"chunk-summary", "reject"});
    return names;
}

std::vector<std::string> tags_of(const golden::CaseSpec& spec) {
    if (spec.expectation == golden::Expectation::must_reject) return {"reject"};
    if (spec.chunk_summary) return {"chunk-summary"};
    const CaseFacts facts = facts_of(spec);
    std::vector<std::string> names;
    for (const Tag& tag : tags) {
        if (tag.holds(spec, facts)) names.emplace_back(tag.name);
    }
    return names;
}

}  // namespace dca::verify
