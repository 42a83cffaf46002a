// What the public implementations of Dual Chunk Attention compute differently, as data: every published dialect is a
// point in one space of rules and a row of one table (dialect.cpp). The rules say what; how it is evaluated is a verb
// and lives with whoever evaluates it. docs/dialects.md prints the table with the sources.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dca {

/// Position of a query for keys of the chunk before; r = i mod L.
enum class SuccRule : std::uint8_t {
    clamped,  ///< min(r + L, C)
    windowed  ///< r + L where r < window, else C - 1 (the paper: s + r or c - 1)
};

/// Position of a query for all earlier keys.
enum class InterRule : std::uint8_t {
    clamped,      ///< min(2L - 1, C)
    chunk_size,   ///< C
    last_trained  ///< C - 1 (the paper's c - 1)
};

/// How `rope_scaling` linear with factor F acts.
enum class LinearScaling : std::uint8_t {
    frequencies,      ///< theta_k / F
    positions,        ///< position / F, after the clamp
    positions_twice,  ///< succ min(r / F + L, C) / F, the others position / F (H12)
};

/// Which values of `rope_scaling` the published code takes.
enum class ScalingSupport : std::uint8_t {
    any,
    linear_only,
    none,    ///< refuses to start
    ignored  ///< takes the option and rotates as if it were none (H15)
};

/// Precision in which angles, cos and sin are formed (H13).
enum class AngleArithmetic : std::uint8_t {
    exact,              ///< the exact product; cos and sin rounded to double once
    float32,            ///< inv_freq, position, product, cos and sin in float32
    float32_chain,      ///< theta_k = theta_(k-1) * base^(-2/rd) in float32, from the position on (llama.cpp)
    float32_below_f64,  ///< as float32 where the activations are narrower than f64, else exact
};

/// Precision in which q and k are multiplied by cos and sin.
enum class RotationArithmetic : std::uint8_t {
    exact,
    activation  ///< table entry, both products and their sum are each rounded to the activation dtype
};

/// Where the length temperature enters (H11, H17).
enum class TemperaturePlace : std::uint8_t {
    nowhere,
    tables,       ///< multiplies cos and sin: rotary dims only
    whole_head,   ///< multiplies keys, and queries or softmax_scale: rotary dims or not
    undocumented  ///< there is one, but no source tells where it acts
};

/// The length x in the factor max(1, coefficient ln(x / reference) + 1).
enum class TemperatureLength : std::uint8_t {
    longest_seen,  ///< the longest key sequence the module has met so far (H18, H19)
    prompt,        ///< the length of the final prompt; decode: i + 1 for the query (H20)
    own_index      ///< i + 1 of each query, keys unscaled (H23)
};

/// The factor a generated key carries during decode (H21).
enum class GeneratedKeys : std::uint8_t {
    when_written,  ///< that of the length when it was written
    unscaled       ///< 1
};

struct Temperature {
    TemperaturePlace place = TemperaturePlace::nowhere;
    double coefficient = 0;
    TemperatureLength length = TemperatureLength::prompt;
    GeneratedKeys generated_keys = GeneratedKeys::when_written;
};

/// A number that the published code rounds on the way.
enum class Rounding : std::uint8_t { none, float32, bf16, activation };

/// How the three modes become one result.
struct MergeRule {
    bool parts = false;                  ///< three attention calls merged by their LSE; false: one softmax
    Rounding lse = Rounding::none;       ///< of a part
    Rounding weight = Rounding::none;    ///< after normalisation; the rounded weights need not sum to 1 (H26)
    bool part_in_activation = false;     ///< o_m rounded to the activation dtype
    bool product_in_activation = false;  ///< w_m o_m rounded to the activation dtype before the sum (H27)
};

/// What automatic differentiation of the published code yields (Def.9, Def.10).
enum class GradientRule : std::uint8_t { exact, detached_merge };

/// What the published code can do with a cache of earlier keys.
enum class CacheUse : std::uint8_t {
    none,       ///< as many queries as keys
    one_token,  ///< prefill from nothing, then one token at a time (H38)
    any         ///< also chunked prefill
};

/// A table of the published code whose end can be reached (H14, H43).
enum class TableLimit : std::uint8_t {
    none,
    query_positions,  ///< as many rotary positions as tokens, or `table_rows`
    key_index,        ///< `max_position_embeddings` keys
    cache_rows        ///< `table_rows` keys, 32768 + 512 unless given
};

/// One published behaviour. `exact` (docs/definition.md) is the first row and the default of every member.
struct Dialect {
    std::string_view name;
    std::string_view title;   ///< what it is, for lists
    std::string_view source;  ///< where it was read: repository, file, commit
    SuccRule succ = SuccRule::clamped;
    InterRule inter = InterRule::clamped;
    LinearScaling linear = LinearScaling::frequencies;
    ScalingSupport scaling = ScalingSupport::any;
    bool interleaved = true;  ///< the published code has the interleaved layout
    AngleArithmetic angles = AngleArithmetic::exact;
    RotationArithmetic rotation = RotationArithmetic::exact;
    Temperature temperature = {};
    MergeRule prefill_merge = {}, decode_merge = {};
    std::optional<MergeRule> flash_merge = {};  ///< of the flash path, where the code has two (DialectFacts::path)
    bool float32_softmax = false;               ///< softmax in float32 whatever the activation dtype (H33)
    GradientRule prefill_gradient = GradientRule::exact, decode_gradient = GradientRule::exact;
    CacheUse cache = CacheUse::any;
    bool packed = true;
    bool grouped_heads = true;
    bool own_value_dim = true;      ///< v may have another head size than q and k (H47)
    bool original_may_be_0 = true;  ///< a prefill runs with original_max_position_embeddings 0 (H24)
    std::int64_t min_chunk_len = 1;
    TableLimit table = TableLimit::none;
};

/// Every dialect, `exact` first.
[[nodiscard]] std::span<const Dialect> dialects();
[[nodiscard]] const Dialect* find_dialect(std::string_view name);

/// prefill: all rows of the call are computed together. decode: each row was computed alone, with the keys up to it.
enum class Phase : std::uint8_t { prefill, decode };
/// Which of the two code paths of megatron_pr4048 ran.
enum class MegatronPath : std::uint8_t { unfused, flash };

/// Which version of the vertical-slash sparse prefill (docs/sparse_prefill.md V.2, V.6).
enum class SparseRules : std::uint8_t {
    vllm,         ///< vLLM, and SGLang up to its commit c3920fee
    sglang_later  ///< SGLang after that
};

[[nodiscard]] std::string_view name(Phase phase);
[[nodiscard]] std::string_view name(MegatronPath path);
[[nodiscard]] std::string_view name(SparseRules rules);
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text);
[[nodiscard]] std::optional<MegatronPath> parse_megatron_path(std::string_view text);
[[nodiscard]] std::optional<SparseRules> parse_sparse_rules(std::string_view text);

/// What a dialect's result depends on besides the tensors: the `dialect_*` attributes of a case.
struct DialectFacts {
    std::optional<Phase> phase;               ///< default: decode for one query with several keys, else prefill
    std::vector<std::int64_t> prompt_length;  ///< of the final prompt; one, or one per sequence
    std::optional<std::int64_t> max_position_embeddings;  ///< chunkllama family: the reference length of the factor
    std::optional<std::int64_t> max_seen_length;          ///< chunkllama family: keys of an earlier call
    std::optional<std::int64_t> original_max_position_embeddings;  ///< vllm family: the reference length
    std::optional<std::int64_t> table_rows;
    std::optional<std::int64_t> page_size;     ///< of the paged cache; must divide L
    std::optional<std::int64_t> paper_window;  ///< the paper's w_p; default local_size
    std::optional<MegatronPath> path;          ///< default unfused
    /// Vertical-slash sparse prefill (docs/sparse_prefill.md): both sizes, or neither and none of the others.
    std::vector<std::int64_t> sparse_vertical_size, sparse_slash_size;  ///< one, or one per query head
    std::optional<std::int64_t> sparse_last_q;                          ///< default 64
    std::optional<std::int64_t> sparse_block;                           ///< default 64
    std::optional<std::int64_t> sparse_forced_verticals;                ///< default 30
    std::optional<std::int64_t> sparse_forced_slashes;                  ///< default 100
    std::optional<std::int64_t> sparse_threshold;                       ///< default 0
    std::optional<SparseRules> sparse_rules;                            ///< default vllm
    friend bool operator==(const DialectFacts&, const DialectFacts&) = default;
};

}  // namespace dca
