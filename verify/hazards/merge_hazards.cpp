// H26 .. H33: how three partial results become one, and in which number formats.
#include <limits>

#include "verify/hazards/arithmetic.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

std::vector<Hazard> merge_hazards() {
    using A = Arithmetic;
    constexpr Area area = Area::merge;
    return {
        {"H26",
         area,
         "Merge weights rounded to bf16",
         {"chunkllama", "chunkllama_flash_decoding"},
         "",
         "The weights of the parts are rounded to bf16 after they are normalised, whatever the type of the model, "
         "and need not sum to 1 any more: a whole row is off by up to 2^-9, with three parts by half as much again. "
         "The first chunk has one part and is exempt.",
         "seq_q=5 head_dim=8 C=6 w=2 qk_scale=0 constant_v=1",
         // bf16(4/5) + bf16(1/5) = 1 + 2^-10
         {{{"out / v of row 4, all keys alike, f64, chunkllama", OutputOverValue{"dialect=chunkllama", 4},
            rounds_to("1.000977")},
           {"row 6 of 12", OutputOverValue{"seq_q=12 dialect=chunkllama", 6}, rounds_to("0.998047")},
           {"row 3 of 12, first chunk", OutputOverValue{"seq_q=12 dialect=chunkllama", 3}, equal("1")},
           {"row 4, chunkllama_flash_decoding, decode",
            OutputOverValue{"dialect=chunkllama_flash_decoding seq_q=1 seq_k=5 dialect_phase=decode", 4},
            rounds_to("1.000977")},
           {"row 4, chunkqwen, float32 weights", OutputOverValue{"dialect=chunkqwen", 4}, rounds_to("1.000000")},
           {"out of random inputs, 12 tokens, chunkllama against exact",
            OutputDifference{"qk_scale=1 constant_v=0 seq_q=12 dialect=chunkllama", "qk_scale=1 constant_v=0 seq_q=12"},
            rounds_to("0.00111")},
           {"the same, chunkqwen",
            OutputDifference{"qk_scale=1 constant_v=0 seq_q=12 dialect=chunkqwen", "qk_scale=1 constant_v=0 seq_q=12"},
            float32_noise}}}},
        {"H27",
         area,
         "Products rounded before they are summed",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang"},
         "",
         "Weight times part is written back into the stacked parts, which have the activation type: each product is "
         "rounded to bf16 before the sum, one rounding more for each part.",
         "seq_q=5 head_dim=8 C=6 w=2 qk_scale=0 dtype=bf16",
         {{{"out of row 4, all keys alike, bf16, chunkqwen against megatron_bridge_pr4185, which rounds parts but "
            "not products",
            OutputDifference{"dialect=chunkqwen", "dialect=megatron_bridge_pr4185", 4, 5}, rounds_to("0.00192")},
           {"the same in f64",
            OutputDifference{"dialect=chunkqwen dtype=f64", "dialect=megatron_bridge_pr4185 dtype=f64", 4, 5},
            float32_noise},
           {"the same in bf16, row 3, first chunk",
            OutputDifference{"dialect=chunkqwen", "dialect=megatron_bridge_pr4185", 3, 4}, equal("0")}}}},
        {"H28",
         area,
         "LSE in bf16",
         {"megatron_pr4048"},
         "",
         "The unfused path keeps each part's LSE in the input type. An LSE of size s is off by up to s 2^-8, and the "
         "weights by that factor; weights and products are rounded as well.",
         "seq_q=7 head_dim=8 C=6 w=2 qk_scale=0 constant_v=1 dtype=bf16",
         {{{"out of rows 4 to 6 of random values, all keys alike, bf16, unfused against flash",
            OutputDifference{"dialect=megatron_pr4048 constant_v=0",
                             "dialect=megatron_pr4048 constant_v=0 dialect_path=flash", 4, 7},
            rounds_to("0.00380")},
           {"the same in f32",
            OutputDifference{"dialect=megatron_pr4048 constant_v=0 dtype=f32",
                             "dialect=megatron_pr4048 constant_v=0 dtype=f32 dialect_path=flash", 4, 7},
            float32_noise}}}},
        {"H29",
         area,
         "The output type changes with the length",
         {"megatron_pr4048"},
         "",
         "The flash path returns the input type for at most L tokens and float32 beyond: the merge promotes and "
         "never casts back. A caller that adds the residual gets another type for longer inputs.",
         "seq_q=12 head_dim=8 C=6 w=2 dtype=bf16 dialect=megatron_pr4048 dialect_path=flash",
         {{}, "expected values are doubles and carry no output type"}},
        {"H30",
         area,
         "Prefill and decode use another algebra",
         {"chunkllama"},
         "chunkqwen, within float32 rounding",
         "Prefill merges three parts with bf16 weights, decode concatenates the scores and takes one softmax. The "
         "token that is decoded after a prompt differs from the same token at the end of a prompt.",
         "seq_q=5 head_dim=8 C=6 w=2 dialect=chunkllama",
         {{{"out of row 4, decoded after 4 tokens against prefilled, f64, chunkllama",
            OutputDifference{"seq_q=1 seq_k=5 dialect_phase=decode dialect_prompt_length=4", "", 4, 5},
            rounds_to("0.001505")},
           {"the same, chunkllama_flash_decoding, which rounds its weights in both",
            OutputDifference{
                "dialect=chunkllama_flash_decoding seq_q=1 seq_k=5 dialect_phase=decode dialect_prompt_length=4",
                "dialect=chunkllama_flash_decoding", 4, 5},
            float32_noise},
           {"the same, chunkqwen",
            OutputDifference{"dialect=chunkqwen seq_q=1 seq_k=5 dialect_phase=decode dialect_prompt_length=4",
                             "dialect=chunkqwen", 4, 5},
            float32_noise},
           {"the same, exact", OutputDifference{"dialect=exact seq_q=1 seq_k=5", "dialect=exact", 4, 5},
            double_noise}}}},
        {"H31",
         area,
         "An empty row reports LSE +inf",
         {"vllm", "sglang"},
         "any merge around FlashAttention-2 (sparse prefill; decode guards against it)",
         "FlashAttention-2 gives a row without keys out 0 and LSE +inf. Unless it is replaced by -inf, a merge that "
         "subtracts the maximum or uses log1p gives NaN, and one that weighs by a sigmoid silently returns the zeros "
         "of the empty part.",
         "",
         {{{"merge of out 1, lse 0 with an empty row of lse +inf, maximum subtracted",
            A{[] { return merged_with_empty(MergeForm::max_subtracting, infinity); }},
            {Stated::Is::nan, ""}},
           {"the same, lse = max + log1p(exp(min - max))",
            A{[] { return merged_with_empty(MergeForm::log1p, infinity); }},
            {Stated::Is::nan, ""}},
           {"the same, weight by a sigmoid", A{[] { return merged_with_empty(MergeForm::sigmoid, infinity); }},
            equal("0")},
           {"lse -inf, maximum subtracted", A{[] { return merged_with_empty(MergeForm::max_subtracting, -infinity); }},
            equal("1")},
           {"lse -inf, log1p", A{[] { return merged_with_empty(MergeForm::log1p, -infinity); }}, equal("1")},
           {"lse -inf, sigmoid", A{[] { return merged_with_empty(MergeForm::sigmoid, -infinity); }}, equal("1")}}}},
        {"H32",
         area,
         "LSE read in the wrong order",
         {"vllm", "sglang"},
         "",
         "FlashAttention returns LSE as (heads, rows); a view as (rows, heads, 1) is right for one head only. A "
         "helper that returns the merged LSE combines the first two parts only, so it is wrong as soon as there are "
         "far keys.",
         "",
         {{{"values read from another place, 1 head, 8 rows",
            A{[] { return static_cast<double>(misplaced_lse(1, 8)); }}, equal("0")},
           {"the same, 2 heads, 3 rows", A{[] { return static_cast<double>(misplaced_lse(2, 3)); }}, equal("4")}}}},
        {"H33",
         area,
         "float64 runs that are not",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding", "megatron_pr4048"},
         "",
         "With float64 inputs the tables (ChunkLlama) or the softmax (Megatron pull request 4048) are still float32. "
         "Such a run agrees with double precision to about 1e-7 and cannot pass a comparison at 1e-12.",
         "seq_q=4 head_dim=8 C=6 w=2",
         {{{"out, f64, one chunk, chunkllama against exact", OutputDifference{"dialect=chunkllama", ""},
            rounds_to("1.12e-8")},
           {"megatron_pr4048 against exact", OutputDifference{"dialect=megatron_pr4048", ""}, float32_noise},
           {"megatron_bridge_pr4185 against exact", OutputDifference{"dialect=megatron_bridge_pr4185", ""},
            double_noise}}}},
    };
}

}  // namespace dca::hazards
