// What one attention call is: shapes, chunk settings, rotary settings, layout. A plain value, shared by oracle,
// reference, golden files and candidates. It says what is asked, never how positions follow from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/spec/dialect.hpp"
#include "reference/spec/dtype.hpp"
#include "reference/spec/error.hpp"

namespace dca {

/// Sizes of the tensors. q is (batch, seq_q, heads_q, head_dim), k (batch, seq_k, heads_kv, head_dim), v and out have
/// head_dim_v last. Packed problems have batch 1 and seq_q = seq_k = total tokens.
struct Shape {
    std::int64_t batch = 1;
    std::int64_t seq_q = 1;
    std::int64_t seq_k = 1;
    std::int64_t heads_q = 1;
    std::int64_t heads_kv = 1;
    std::int64_t head_dim = 1;
    std::int64_t head_dim_v = 1;
    friend bool operator==(const Shape&, const Shape&) = default;
};

/// C and w of Def.1; the stride of the chunks is chunk_len() = L = C - w.
struct ChunkConfig {
    std::int64_t chunk_size = 1;
    std::int64_t local_size = 0;
    [[nodiscard]] constexpr std::int64_t chunk_len() const { return chunk_size - local_size; }
    friend bool operator==(const ChunkConfig&, const ChunkConfig&) = default;
};

enum class RopeLayout : std::uint8_t { none, neox, interleaved };
enum class RopeScaling : std::uint8_t { none, linear, ntk, dynamic, yarn, llama3 };

[[nodiscard]] std::string_view name(RopeLayout layout);
[[nodiscard]] std::string_view name(RopeScaling scaling);
[[nodiscard]] std::optional<RopeLayout> parse_rope_layout(std::string_view text);
[[nodiscard]] std::optional<RopeScaling> parse_rope_scaling(std::string_view text);

/// Rotary settings (Def.4, Def.5). An unset optional means "the default of the scheme".
struct RopeConfig {
    RopeLayout layout = RopeLayout::neox;
    std::optional<std::int64_t> rotary_dim;  ///< default head_dim
    double base = 10000.0;
    RopeScaling scaling = RopeScaling::none;
    std::optional<double> factor;                 ///< required by every scaling but none
    std::optional<double> original_max_position;  ///< yarn 4096, llama3 8192; required by dynamic
    double beta_fast = 32.0;
    double beta_slow = 1.0;
    double low_freq_factor = 1.0;
    double high_freq_factor = 4.0;
    std::optional<double> mscale;  ///< default: of the scaling (yarn 0.1 ln f + 1), else 1
    std::vector<double> inv_freq;  ///< not empty: replaces base and scaling's frequencies

    /// original_max_position, or the default of the scaling where it has one.
    [[nodiscard]] std::optional<double> resolved_original_max_position() const;
    friend bool operator==(const RopeConfig&, const RopeConfig&) = default;
};

/// In which types a candidate works inside. Unset: what follows from Problem::dtype, the type of the inputs and of q~
/// and k~. What the expected values are does not depend on them, how far a candidate may be from them does.
struct WorkTypes {
    std::optional<Dtype> p;            ///< P and dS as the second products read them; default dtype
    std::optional<Dtype> accumulator;  ///< sums; default f64 for f64, else f32
    std::optional<Dtype> output;       ///< out, dq, dk, dv; default dtype; tf32: f32; e4m3 and e5m2: bf16
    friend bool operator==(const WorkTypes&, const WorkTypes&) = default;
};

/// One attention call.
struct Problem {
    Shape shape;
    ChunkConfig chunk;
    RopeConfig rope;
    std::string dialect = "exact";
    DialectFacts facts;                        ///< what the dialect's result depends on besides the tensors
    std::optional<double> softmax_scale;       ///< default head_dim^-0.5; multiplies the logits
    std::optional<std::int64_t> query_offset;  ///< absolute index of row 0; default seq_k - seq_q; not for packed
    std::vector<std::int32_t> cu_seqlens;      ///< not empty: packed layout, sequence s is [cu[s], cu[s+1])
    Dtype dtype = Dtype::f64;
    WorkTypes work;

    [[nodiscard]] Dtype resolved_p_dtype() const { return work.p.value_or(dtype); }
    [[nodiscard]] Dtype resolved_accumulator() const;
    [[nodiscard]] Dtype resolved_output_dtype() const;
    [[nodiscard]] bool packed() const { return !cu_seqlens.empty(); }
    [[nodiscard]] std::int64_t resolved_rotary_dim() const {
        return rope.layout == RopeLayout::none ? 0 : rope.rotary_dim.value_or(shape.head_dim);
    }
    [[nodiscard]] std::int64_t resolved_query_offset() const {
        return packed() ? 0 : query_offset.value_or(shape.seq_k - shape.seq_q);
    }
    /// The phase of the call: decode for one query with several keys unless facts say otherwise.
    [[nodiscard]] Phase resolved_phase() const {
        const bool one_token = !packed() && shape.seq_q == 1 && shape.seq_k > 1;
        return facts.phase.value_or(one_token ? Phase::decode : Phase::prefill);
    }
    /// Whether the call is a vertical-slash sparse prefill; decode is dense whatever the facts say.
    [[nodiscard]] bool sparse_prefill() const {
        return !facts.sparse_vertical_size.empty() && resolved_phase() == Phase::prefill;
    }
    /// head_dim^-0.5 in double unless given.
    [[nodiscard]] double resolved_softmax_scale() const;
    friend bool operator==(const Problem&, const Problem&) = default;
};

/// Throws InvalidProblem, naming the offending field and value, unless the problem is one that can be computed.
void validate(const Problem& problem);

/// Limits that keep every index and product within 64 bits, and every position exact (docs/definition.md).
inline constexpr std::int64_t max_position = std::int64_t{1} << 31;
inline constexpr std::int64_t max_elements = std::int64_t{1} << 40;

}  // namespace dca
