#include "reference/spec/dialect.hpp"

#include <algorithm>
#include <array>

namespace dca {
namespace {

constexpr MergeRule one_softmax{};
/// Three attention calls, merged in float32, the products in the activation dtype.
constexpr MergeRule float32_weights{
    .parts = true, .lse = Rounding::float32, .part_in_activation = true, .product_in_activation = true};
constexpr MergeRule bf16_weights{.parts = true,
                                 .lse = Rounding::float32,
                                 .weight = Rounding::bf16,
                                 .part_in_activation = true,
                                 .product_in_activation = true};
/// Even the LSE in the activation dtype (H28).
constexpr MergeRule activation_weights{.parts = true,
                                       .lse = Rounding::activation,
                                       .weight = Rounding::activation,
                                       .part_in_activation = true,
                                       .product_in_activation = true};
/// LSE, weights and products stay in float32 (H29).
constexpr MergeRule flash_path{.parts = true, .lse = Rounding::float32, .part_in_activation = true};
constexpr MergeRule float32_products{.parts = true, .part_in_activation = true};
constexpr MergeRule plain_merge{.parts = true};

constexpr Temperature longest_seen(double coefficient) {
    return {TemperaturePlace::tables, coefficient, TemperatureLength::longest_seen, GeneratedKeys::when_written};
}
constexpr Temperature prompt(GeneratedKeys generated) {
    return {TemperaturePlace::whole_head, 0.1, TemperatureLength::prompt, generated};
}

constexpr auto as_float32 = AngleArithmetic::float32;
constexpr auto in_activation = RotationArithmetic::activation;
constexpr auto detached = GradientRule::detached_merge;

// Rules that are not named have the value of `exact`. L = C - w in every row.
constexpr std::array<Dialect, 12> table{{
    {.name = "exact", .title = "the definition", .source = "docs/definition.md"},
    {.name = "paper",
     .title = "the paper's position maps: chunk_size is its c, the stride c - local_size its s",
     .source = "arXiv 2402.17463",
     .succ = SuccRule::windowed,
     .inter = InterRule::last_trained},
    {.name = "chunkllama",
     .title = "ChunkLlama for Llama and Mistral, also its fine-tuning script",
     .source = "HKUNLP/ChunkLlama chunkllama_attn_replace.py, commit 2add4d7",
     .linear = LinearScaling::positions,
     .scaling = ScalingSupport::linear_only,
     .interleaved = false,
     .angles = as_float32,
     .rotation = in_activation,
     .temperature = longest_seen(0.05),
     .prefill_merge = bf16_weights,
     .decode_merge = one_softmax,
     .prefill_gradient = detached,
     .cache = CacheUse::one_token,
     .packed = false,
     .min_chunk_len = 2},
    {.name = "chunkqwen",
     .title = "ChunkLlama for Qwen 1.5",
     .source = "HKUNLP/ChunkLlama chunkqwen_attn_replace.py, commit 2add4d7",
     .linear = LinearScaling::positions_twice,
     .scaling = ScalingSupport::linear_only,
     .interleaved = false,
     .angles = as_float32,
     .rotation = in_activation,
     .prefill_merge = float32_weights,
     .decode_merge = one_softmax,
     .prefill_gradient = detached,
     .cache = CacheUse::one_token,
     .packed = false,
     .grouped_heads = false,
     .min_chunk_len = 2},
    {.name = "chunkllama_flash_decoding",
     .title = "ChunkLlama with flash decoding",
     .source = "HKUNLP/ChunkLlama flash_decoding_chunkllama.py, commit 2add4d7",
     .linear = LinearScaling::positions,
     .scaling = ScalingSupport::linear_only,
     .interleaved = false,
     .angles = as_float32,
     .rotation = in_activation,
     .temperature = longest_seen(0.1),
     .prefill_merge = bf16_weights,
     .decode_merge = bf16_weights,
     .prefill_gradient = detached,
     .decode_gradient = detached,
     .cache = CacheUse::one_token,
     .packed = false,
     .table = TableLimit::cache_rows},
    {.name = "vllm_fork",
     .title = "ChunkLlama's fork of vLLM",
     .source = "HKUNLP/ChunkLlama vllm/, commit 2add4d7 (vllm-project/vllm pull request 6139)",
     .scaling = ScalingSupport::none,
     .angles = as_float32,
     .rotation = in_activation,
     .temperature = prompt(GeneratedKeys::when_written),
     .prefill_merge = float32_weights,
     .decode_merge = float32_weights,
     .prefill_gradient = detached,
     .decode_gradient = detached,
     .table = TableLimit::key_index},
    {.name = "vllm",
     .title = "vLLM, engine V0",
     .source = "vllm-project/vllm vllm/attention/backends/dual_chunk_flash_attn.py, commit 7c734ee0; "
               "dual_chunk_rope.py, commit 6ad6b8e1",
     .scaling = ScalingSupport::ignored,
     .angles = as_float32,
     .rotation = in_activation,
     .temperature = prompt(GeneratedKeys::when_written),
     .prefill_merge = float32_weights,
     .decode_merge = float32_weights,
     .prefill_gradient = detached,
     .decode_gradient = detached,
     .original_may_be_0 = false,
     .table = TableLimit::key_index},
    {.name = "sglang",
     .title = "SGLang",
     .source = "sgl-project/sglang dual_chunk_flashattention_backend.py and rotary_embedding.py, commit a2faf894",
     .scaling = ScalingSupport::ignored,
     .angles = as_float32,
     .rotation = in_activation,
     .temperature = prompt(GeneratedKeys::unscaled),
     .prefill_merge = float32_weights,
     .decode_merge = float32_weights,
     .prefill_gradient = detached,
     .decode_gradient = detached,
     .original_may_be_0 = false,
     .table = TableLimit::key_index},
    {.name = "megatron_pr4048",
     .title = "Megatron-LM draft pull request 4048",
     .source = "NVIDIA/Megatron-LM experimental_attention_variant/dca.py, commit 00e5181d",
     .angles = as_float32,
     .rotation = in_activation,
     .prefill_merge = activation_weights,
     .decode_merge = activation_weights,
     .flash_merge = flash_path,
     .float32_softmax = true,
     .prefill_gradient = detached,
     .decode_gradient = detached,
     .cache = CacheUse::none,
     .packed = false,
     .own_value_dim = false,
     .table = TableLimit::query_positions},
    {.name = "megatron_bridge_pr4185",
     .title = "Megatron-Bridge pull request 4185",
     .source = "NVIDIA-NeMo/Megatron-Bridge src/megatron/bridge/models/transformer/dca.py, commit 07e11e91",
     .angles = AngleArithmetic::float32_below_f64,
     .rotation = in_activation,
     .prefill_merge = float32_products,
     .decode_merge = float32_products,
     .cache = CacheUse::none,
     .packed = false},
    {.name = "llama_cpp_dca",
     .title = "a llama.cpp fork (experimental-dca), known from its design text and numpy reference",
     .source = "its design text; no commit could be read",
     .angles = AngleArithmetic::float32_chain,
     .temperature = {TemperaturePlace::whole_head, 0.1, TemperatureLength::own_index, GeneratedKeys::unscaled}},
    {.name = "zerollama",
     .title = "the zerollama fork of llama.cpp (llama-dca.h), known from its documents and unit script",
     .source = "its documents; no commit could be read",
     .inter = InterRule::chunk_size,
     .scaling = ScalingSupport::ignored,
     .angles = AngleArithmetic::float32_chain,
     .temperature = {TemperaturePlace::undocumented, 0.1, TemperatureLength::prompt, GeneratedKeys::when_written},
     .prefill_merge = plain_merge,
     .decode_merge = plain_merge},
}};

}  // namespace

std::span<const Dialect> dialects() {
    return table;
}

const Dialect* find_dialect(std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Dialect& d) { return d.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::string_view name(Phase phase) {
    return phase == Phase::prefill ? "prefill" : "decode";
}
std::string_view name(MegatronPath path) {
    return path == MegatronPath::unfused ? "unfused" : "flash";
}
std::string_view name(SparseRules rules) {
    return rules == SparseRules::vllm ? "vllm" : "sglang_later";
}
std::optional<Phase> parse_phase(std::string_view text) {
    for (Phase phase : {Phase::prefill, Phase::decode}) {
        if (name(phase) == text) return phase;
    }
    return std::nullopt;
}
std::optional<MegatronPath> parse_megatron_path(std::string_view text) {
    for (MegatronPath path : {MegatronPath::unfused, MegatronPath::flash}) {
        if (name(path) == text) return path;
    }
    return std::nullopt;
}
std::optional<SparseRules> parse_sparse_rules(std::string_view text) {
    for (SparseRules rules : {SparseRules::vllm, SparseRules::sglang_later}) {
        if (name(rules) == text) return rules;
    }
    return std::nullopt;
}

}  // namespace dca
