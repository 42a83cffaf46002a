// Everything that makes a problem impossible, each with a message that names the field, its value and the rule.
#include <cmath>
#include <limits>
#include <string>

#include "reference/spec/bundles.hpp"
#include "reference/spec/problem.hpp"

namespace dca {
namespace {

[[noreturn]] void reject(const std::string& message) {
    throw InvalidProblem(message);
}

std::string text(double value) {
    std::string out = std::to_string(value);
    return std::isfinite(value) ? out : (std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

void require_positive(const char* field, std::int64_t value) {
    if (value < 1) reject(std::string(field) + " is " + std::to_string(value) + ", must be at least 1");
}

void require_finite(const char* field, double value) {
    if (!std::isfinite(value)) reject(std::string(field) + " is " + text(value) + ", must be finite");
}

void require_finite_positive(const char* field, double value) {
    require_finite(field, value);
    if (!(value > 0)) reject(std::string(field) + " is " + text(value) + ", must be greater than 0");
}

/// Rejects a tensor whose element count would pass max_elements, without overflowing on the way.
void require_count(const char* tensor, const Extents<4>& extents) {
    std::int64_t count = 1;
    for (std::int64_t extent : extents) {
        if (count > max_elements / extent) {
            reject(std::string(tensor) + " would have more than 2^40 elements");
        }
        count *= extent;
    }
}

void validate_shape(const Shape& s) {
    require_positive("batch", s.batch);
    require_positive("seq_q", s.seq_q);
    require_positive("seq_k", s.seq_k);
    require_positive("heads_q", s.heads_q);
    require_positive("heads_kv", s.heads_kv);
    require_positive("head_dim", s.head_dim);
    require_positive("head_dim_v", s.head_dim_v);
    if (s.heads_q % s.heads_kv != 0) {
        reject("heads_q " + std::to_string(s.heads_q) + " is not a multiple of heads_kv " + std::to_string(s.heads_kv));
    }
    if (s.seq_q > max_position || s.seq_k > max_position) reject("seq_q and seq_k must be at most 2^31");
    require_count("q", q_extents(s));
    require_count("k", k_extents(s));
    require_count("v", v_extents(s));
    require_count("out", out_extents(s));
}

void validate_chunk(const ChunkConfig& chunk) {
    if (chunk.local_size < 0) reject("local_size is " + std::to_string(chunk.local_size) + ", must be at least 0");
    if (chunk.chunk_size <= chunk.local_size) {
        reject("chunk_size " + std::to_string(chunk.chunk_size) + " must be greater than local_size " +
               std::to_string(chunk.local_size) + " (H7: the stride chunk_size - local_size must be at least 1)");
    }
    if (chunk.chunk_size > max_position) {
        reject("chunk_size is " + std::to_string(chunk.chunk_size) + ", must be at most 2^31");
    }
}

void validate_scaling(const RopeConfig& rope, std::int64_t rotary_dim) {
    const std::string scheme = "rope_scaling " + std::string(name(rope.scaling));
    if (rope.scaling == RopeScaling::none) return;
    if (!rope.factor) reject(scheme + " needs rope_factor");
    if (!rope.resolved_original_max_position() && rope.scaling == RopeScaling::dynamic) {
        reject(scheme + " needs original_max_position");
    }
    const bool uses_base_exponent = rope.scaling == RopeScaling::ntk || rope.scaling == RopeScaling::dynamic;
    if (uses_base_exponent && rope.inv_freq.empty() && rotary_dim <= 2) {
        reject(scheme + " needs rotary_dim greater than 2, it is " + std::to_string(rotary_dim));
    }
    // The base of `dynamic` is multiplied by f l / T - (f - 1) >= 1 for f > 0, so a positive factor suffices.
    if (rope.scaling == RopeScaling::yarn && !(rope.beta_fast >= rope.beta_slow)) {
        reject("beta_fast " + text(rope.beta_fast) + " must not be less than beta_slow " + text(rope.beta_slow));
    }
    if (rope.scaling == RopeScaling::yarn && rope.inv_freq.empty() && !(rope.base > 1)) {
        reject("rope_base is " + text(rope.base) + ", " + scheme + " needs more than 1");
    }
    if (rope.scaling == RopeScaling::llama3 && !(rope.high_freq_factor > rope.low_freq_factor)) {
        reject("high_freq_factor " + text(rope.high_freq_factor) + " must be greater than low_freq_factor " +
               text(rope.low_freq_factor));
    }
}

void validate_rope(const RopeConfig& rope, std::int64_t head_dim) {
    require_finite_positive("rope_base", rope.base);
    if (rope.factor) require_finite_positive("rope_factor", *rope.factor);
    if (rope.original_max_position) require_finite_positive("original_max_position", *rope.original_max_position);
    require_finite_positive("beta_fast", rope.beta_fast);
    require_finite_positive("beta_slow", rope.beta_slow);
    require_finite_positive("low_freq_factor", rope.low_freq_factor);
    require_finite_positive("high_freq_factor", rope.high_freq_factor);
    if (rope.mscale) require_finite("mscale", *rope.mscale);
    if (rope.layout == RopeLayout::none) {
        if (!rope.inv_freq.empty()) reject("inv_freq is given but rope is none");
        return;
    }
    const std::int64_t rotary_dim = rope.rotary_dim.value_or(head_dim);
    if (rotary_dim < 2 || rotary_dim % 2 != 0 || rotary_dim > head_dim) {
        reject("rotary_dim is " + std::to_string(rotary_dim) + ", must be even, at least 2 and at most head_dim " +
               std::to_string(head_dim) + " (rope none switches rotation off)");
    }
    if (!rope.inv_freq.empty() && static_cast<std::int64_t>(rope.inv_freq.size()) != rotary_dim / 2) {
        reject("inv_freq has " + std::to_string(rope.inv_freq.size()) + " values, rotary_dim / 2 is " +
               std::to_string(rotary_dim / 2));
    }
    for (double frequency : rope.inv_freq) require_finite("inv_freq", frequency);
    validate_scaling(rope, rotary_dim);
}

void validate_packed(const Problem& problem) {
    const auto& cu = problem.cu_seqlens;
    if (cu.size() < 2) reject("cu_seqlens needs at least 2 values, it has " + std::to_string(cu.size()));
    if (cu.front() != 0) reject("cu_seqlens must start with 0, it starts with " + std::to_string(cu.front()));
    for (std::size_t s = 1; s < cu.size(); ++s) {
        if (cu[s] < cu[s - 1]) reject("cu_seqlens decreases at entry " + std::to_string(s));
    }
    if (cu.back() != problem.shape.seq_q) {
        reject("cu_seqlens ends with " + std::to_string(cu.back()) + " but there are " +
               std::to_string(problem.shape.seq_q) + " tokens");
    }
    if (problem.shape.batch != 1 || problem.shape.seq_q != problem.shape.seq_k) {
        reject("a packed problem has batch 1 and as many query as key tokens");
    }
    if (problem.query_offset.value_or(0) != 0) reject("query_offset must be 0 in a packed problem");
}

void require_sizes(const char* field, const std::vector<std::int64_t>& sizes, std::int64_t heads_q) {
    const auto count = static_cast<std::int64_t>(sizes.size());
    if (count != 1 && count != heads_q) {
        reject(std::string(field) + " has " + std::to_string(count) + " values; give one, or one for each of the " +
               std::to_string(heads_q) + " query heads");
    }
    for (std::int64_t size : sizes) require_positive(field, size);
}

/// A sparse prefill needs both sizes; the other facts of it mean nothing without them.
void validate_sparse(const DialectFacts& facts, std::int64_t heads_q) {
    const bool vertical = !facts.sparse_vertical_size.empty(), slash = !facts.sparse_slash_size.empty();
    if (vertical != slash) {
        reject(std::string("dialect_sparse_") + (vertical ? "vertical" : "slash") +
               "_size is given without dialect_sparse_" + (vertical ? "slash" : "vertical") +
               "_size; a sparse prefill needs both");
    }
    const bool others = facts.sparse_last_q || facts.sparse_block || facts.sparse_forced_verticals ||
                        facts.sparse_forced_slashes || facts.sparse_threshold || facts.sparse_rules;
    if (!vertical && others) {
        reject("dialect_sparse_* facts are given without dialect_sparse_vertical_size and dialect_sparse_slash_size");
    }
    if (!vertical) return;
    require_sizes("dialect_sparse_vertical_size", facts.sparse_vertical_size, heads_q);
    require_sizes("dialect_sparse_slash_size", facts.sparse_slash_size, heads_q);
    require_positive("dialect_sparse_last_q", facts.sparse_last_q.value_or(1));
    require_positive("dialect_sparse_block", facts.sparse_block.value_or(1));
}

void require_no_finer(const char* field, Dtype type, Dtype accumulator) {
    if (traits(type).precision <= traits(accumulator).precision) return;
    reject("accumulator " + std::string(name(accumulator)) + " is coarser than " + field + " " +
           std::string(name(type)));
}

/// What a candidate works in: sums no coarser than the inputs they are made of, results no finer than the sums.
void validate_work(const Problem& problem) {
    const Dtype accumulator = problem.resolved_accumulator(), output = problem.resolved_output_dtype();
    const auto is_sum = [](Dtype d) { return traits(d).storage_bits > 8 && d != Dtype::tf32; };
    if (!is_sum(accumulator)) {
        reject("accumulator is " + std::string(name(accumulator)) + ", must be f64, f32, f16 or bf16");
    }
    if (!is_sum(output)) {
        reject("output_dtype is " + std::string(name(output)) + ", must be f64, f32, f16 or bf16");
    }
    require_no_finer("dtype", problem.dtype, accumulator);
    require_no_finer("p_dtype", problem.resolved_p_dtype(), accumulator);
    require_no_finer("output_dtype", output, accumulator);
}

void require_tensor(const char* which, const Tensor4& tensor, const Extents<4>& extents) {
    if (tensor.extents() != extents) reject(std::string(which) + " does not have the shape of the problem");
    std::int64_t at = 0;
    for (double value : tensor.values()) {
        if (!std::isfinite(value)) {
            reject(std::string(which) + " has a non-finite value (" + text(value) + ") at flat index " +
                   std::to_string(at));
        }
        ++at;
    }
}

}  // namespace

void validate(const Problem& problem) {
    validate_shape(problem.shape);
    validate_chunk(problem.chunk);
    validate_rope(problem.rope, problem.shape.head_dim);
    if (problem.softmax_scale) require_finite("softmax_scale", *problem.softmax_scale);
    validate_sparse(problem.facts, problem.shape.heads_q);
    validate_work(problem);
    if (problem.packed()) {
        validate_packed(problem);
    } else if (std::int64_t offset = problem.resolved_query_offset(); offset > max_position || offset < -max_position) {
        reject("query_offset is " + std::to_string(offset) + ", must be within 2^31 of 0");
    }
}

void validate(const Problem& problem, const Inputs& inputs) {
    validate(problem);
    require_tensor("q", inputs.q, q_extents(problem.shape));
    require_tensor("k", inputs.k, k_extents(problem.shape));
    require_tensor("v", inputs.v, v_extents(problem.shape));
    if (inputs.dout) require_tensor("dout", *inputs.dout, out_extents(problem.shape));
}

}  // namespace dca
