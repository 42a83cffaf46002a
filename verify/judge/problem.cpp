#include "verify/judge/problem.hpp"

#include <array>

#include "reference/math/rope_frequencies.hpp"
#include "reference/spec/error.hpp"

namespace dca::judge {
namespace {

constexpr std::array<std::pair<Dtype, dca::Dtype>, 7> dtypes{{{Dtype::f64, dca::Dtype::f64},
                                                              {Dtype::f32, dca::Dtype::f32},
                                                              {Dtype::tf32, dca::Dtype::tf32},
                                                              {Dtype::f16, dca::Dtype::f16},
                                                              {Dtype::bf16, dca::Dtype::bf16},
                                                              {Dtype::e4m3, dca::Dtype::e4m3},
                                                              {Dtype::e5m2, dca::Dtype::e5m2}}};

RopeLayout to_public(dca::RopeLayout layout) {
    switch (layout) {
        case dca::RopeLayout::none: return RopeLayout::none;
        case dca::RopeLayout::neox: return RopeLayout::neox;
        case dca::RopeLayout::interleaved: return RopeLayout::interleaved;
    }
    throw ContractError("unknown rope layout");
}

dca::RopeLayout to_internal(RopeLayout layout) {
    switch (layout) {
        case RopeLayout::none: return dca::RopeLayout::none;
        case RopeLayout::neox: return dca::RopeLayout::neox;
        case RopeLayout::interleaved: return dca::RopeLayout::interleaved;
    }
    throw ContractError("unknown rope layout");
}

Rope rope_of(const dca::Problem& problem) {
    const RopeConfig& from = problem.rope;
    Rope rope;
    rope.layout = to_public(from.layout);
    rope.rotary_dim = problem.resolved_rotary_dim();
    rope.base = from.base;
    rope.scaling = dca::name(from.scaling);
    rope.factor = from.factor;
    rope.original_max_position = from.resolved_original_max_position();
    rope.beta_fast = from.beta_fast;
    rope.beta_slow = from.beta_slow;
    rope.low_freq_factor = from.low_freq_factor;
    rope.high_freq_factor = from.high_freq_factor;
    rope.mscale = from.mscale;
    rope.inv_freq = from.inv_freq;
    return rope;
}

/// Shape and rotary settings, all that frequencies depend on.
dca::Problem for_frequencies(const Problem& from) {
    dca::Problem problem;
    problem.shape = {from.batch, from.seq_q, from.seq_k, from.heads_q, from.heads_kv, from.head_dim, from.head_dim_v};
    problem.chunk = {from.chunk_size, from.local_size};
    problem.cu_seqlens = from.cu_seqlens;
    if (!from.packed()) problem.query_offset = from.query_offset;
    problem.dialect = from.dialect;
    RopeConfig& rope = problem.rope;
    rope.layout = to_internal(from.rope.layout);
    if (from.rope.layout != RopeLayout::none) rope.rotary_dim = from.rope.rotary_dim;
    rope.base = from.rope.base;
    const std::optional<RopeScaling> scaling = parse_rope_scaling(from.rope.scaling);
    if (!scaling) throw InvalidProblem("rope scaling '" + from.rope.scaling + "' is unknown");
    rope.scaling = *scaling;
    rope.factor = from.rope.factor;
    rope.original_max_position = from.rope.original_max_position;
    rope.beta_fast = from.rope.beta_fast;
    rope.beta_slow = from.rope.beta_slow;
    rope.low_freq_factor = from.rope.low_freq_factor;
    rope.high_freq_factor = from.rope.high_freq_factor;
    rope.mscale = from.rope.mscale;
    rope.inv_freq = from.rope.inv_freq;
    validate(problem);
    return problem;
}

}  // namespace

Dtype to_public(dca::Dtype dtype) {
    for (const auto& [ours, internal] : dtypes) {
        if (internal == dtype) return ours;
    }
    throw ContractError("unknown dtype");
}

dca::Dtype to_internal(Dtype dtype) {
    for (const auto& [ours, internal] : dtypes) {
        if (ours == dtype) return internal;
    }
    throw ContractError("unknown dtype");
}

Problem to_public(const dca::Problem& from) {
    const Shape& shape = from.shape;
    Problem problem;
    problem.batch = shape.batch;
    problem.seq_q = shape.seq_q;
    problem.seq_k = shape.seq_k;
    problem.heads_q = shape.heads_q;
    problem.heads_kv = shape.heads_kv;
    problem.head_dim = shape.head_dim;
    problem.head_dim_v = shape.head_dim_v;
    problem.chunk_size = from.chunk.chunk_size;
    problem.local_size = from.chunk.local_size;
    problem.softmax_scale = from.resolved_softmax_scale();
    problem.query_offset = from.resolved_query_offset();
    problem.cu_seqlens = from.cu_seqlens;
    problem.rope = rope_of(from);
    problem.dialect = from.dialect;
    problem.sparse = from.sparse_prefill();
    problem.dtype = to_public(from.dtype);
    problem.p_dtype = to_public(from.resolved_p_dtype());
    problem.accumulator = to_public(from.resolved_accumulator());
    problem.output_dtype = to_public(from.resolved_output_dtype());
    return problem;
}

std::string_view name(Dtype dtype) {
    return dca::name(to_internal(dtype));
}

std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys) {
    if (problem.rope.layout == RopeLayout::none) return {};
    return reference::inv_freq(for_frequencies(problem), keys);
}

double mscale(const Problem& problem) {
    return reference::mscale(reference::effective_rope(for_frequencies(problem)));
}

}  // namespace dca::judge
