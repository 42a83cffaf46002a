// H34 .. H42: gradients, masks, padding and batches.
#include "verify/hazards/arithmetic.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::vector<Hazard> gradient_and_mask_hazards() {
    using A = Arithmetic;
    constexpr std::string_view mha = "seq_q=11 heads_q=4 heads_kv=2 C=6 w=2";
    constexpr std::string_view mha_exact = "seq_q=11 heads_q=4 heads_kv=2 C=6 w=2 dialect=exact";
    constexpr std::string_view mha_one_chunk = "seq_q=4 heads_q=4 heads_kv=2 C=6 w=2";
    constexpr std::string_view mha_one_chunk_exact = "seq_q=4 heads_q=4 heads_kv=2 C=6 w=2 dialect=exact";
    return {
        {"H34",
         Area::gradients,
         "The merge is detached",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang", "megatron_pr4048"},
         "the fine-tuning script of ChunkLlama",
         "Merge weights are constants for automatic differentiation. dv is right; dq and dk lack every term that "
         "moves probability from one mode to another, so training works against a wrong gradient. Nothing fails.",
         "seq_q=2 head_dim=8 C=2 w=1 dialect=megatron_pr4048",
         {{{"norm of dq with one key in each mode", GradientSize{"", Gradient::dq}, double_noise},
           {"norm of dk", GradientSize{"", Gradient::dk}, double_noise},
           {"norm of dq, exact", GradientSize{"dialect=exact", Gradient::dq}, rounds_to("0.127")},
           {"norm of dk, exact", GradientSize{"dialect=exact", Gradient::dk}, rounds_to("0.135")},
           {"dq of 11 tokens, C=6 w=2, 4 heads over 2, against exact", GradientDifference{mha, mha_exact, Gradient::dq},
            rounds_to("0.441")},
           {"dk", GradientDifference{mha, mha_exact, Gradient::dk}, rounds_to("0.368")},
           {"dv", GradientDifference{mha, mha_exact, Gradient::dv}, float32_noise},
           {"dq of 4 tokens, one chunk, against exact",
            GradientDifference{mha_one_chunk, mha_one_chunk_exact, Gradient::dq}, float32_noise}}}},
        {"H35",
         Area::gradients,
         "FlashAttention drops the gradient of the LSE",
         {"megatron_pr4048"},
         "any merge around the Python bindings of FlashAttention-2 and -3",
         "Taking out .detach() does not repair the flash path: the backward pass of the bindings takes the gradient "
         "of the output alone, so the merge weights stay constants and the gradients are those of H34, to the bit.",
         "seq_q=5 head_dim=8 C=6 w=2 dialect=megatron_pr4048 dialect_table_rows=7 dialect_path=flash",
         {{}, "it is about automatic differentiation around a kernel; the gradients that result are those of H34"}},
        {"H36",
         Area::gradients,
         "Dropout inside the parts",
         {"megatron_pr4048", "megatron_bridge_pr4185"},
         "",
         "Pull request 4048 ignores attention dropout. Megatron-Bridge drops inside each part and merges with "
         "weights that know nothing of it: a third behaviour besides dropping in the one softmax.",
         "",
         {{}, "dropout is random and no part of this reference"}},
        {"H37",
         Area::masks,
         "Padding is ignored",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding"},
         "",
         "Prefill does not look at the attention mask, and chunk borders follow columns, not positions. With left "
         "padding the column from which P_inter is read holds a smaller position, and every far key moves.",
         "seq_q=12 head_dim=8 C=6 w=2",
         {{{"P_inter, C=6 w=2, no padding", A{[] { return static_cast<double>(padded_inter_position(6, 2, 0)); }},
            equal("6")},
           {"two columns of left padding", A{[] { return static_cast<double>(padded_inter_position(6, 2, 2)); }},
            equal("5")},
           {"relative position of query 8 and key 0, exact", RelativePosition{"", 8, 0}, equal("6")},
           {"packed sequences, chunkllama", Refusal{"dialect=chunkllama cu_seqlens=0,3,12"}, equal("refused")}}}},
        {"H38",
         Area::masks,
         "Several tokens with a cache",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding"},
         "",
         "A call with cached keys and more than one new token gives all of them the chunk of the last one and no "
         "causal mask: the first new token sees the second. Chunked prefill and speculative decoding are impossible.",
         "seq_q=2 seq_k=4 head_dim=8 C=4 w=1 dialect=chunkllama",
         {{{"two tokens after two, chunkllama", Refusal{""}, equal("refused")},
           {"the same, chunkqwen", Refusal{"dialect=chunkqwen"}, equal("refused")},
           {"one token after three, chunkllama", Refusal{"seq_q=1"}, equal("accepted")},
           {"two tokens after two, vllm", Refusal{"dialect=vllm"}, equal("accepted")}}}},
        {"H39",
         Area::masks,
         "Key heads repeated twice",
         {"chunkqwen"},
         "",
         "repeat_kv runs before the cache and again after it. With 4 query heads and 1 key head the second "
         "repetition makes 16 heads and the call fails: grouped heads are impossible.",
         "seq_q=4 heads_q=4 heads_kv=1 head_dim=8 C=6 w=2 dialect=chunkqwen",
         {{{"4 query heads, 1 key head", Refusal{""}, equal("refused")},
           {"4 query heads, 4 key heads", Refusal{"heads_kv=4"}, equal("accepted")},
           {"4 query heads, 1 key head, chunkllama", Refusal{"dialect=chunkllama"}, equal("accepted")}}}},
        {"H40",
         Area::masks,
         "Prompt lengths cut with the token count",
         {"vllm_fork"},
         "",
         "The tensor that holds one length for each prompt is sliced by the number of prompt tokens. With several "
         "prompts in a batch it keeps entries that belong to decode requests.",
         "",
         {{}, "it is an error of the engine's bookkeeping, not of attention"}},
        {"H41",
         Area::masks,
         "Arguments that do nothing",
         {"megatron_pr4048"},
         "",
         "Attention mask, bias, dropout and softmax_type are accepted and not used. A model that needs one of them "
         "trains as if it were not there.",
         "",
         {{}, "none of these arguments is part of a case"}},
        {"H42",
         Area::masks,
         "One cache length for the whole batch",
         {"chunkllama_flash_decoding"},
         "",
         "The static cache has one scalar length. A batch of prompts of different lengths attends to padding, or "
         "misses keys.",
         "batch=2 seq_q=3 seq_k=12 head_dim=8 C=6 w=2 dialect=chunkllama_flash_decoding dialect_phase=decode "
         "dialect_prompt_length=7,8",
         {{{"prompts of 7 and 8 tokens", Refusal{""}, equal("refused")},
           {"two prompts of 7 tokens", Refusal{"dialect_prompt_length=7,7"}, equal("accepted")},
           {"prompts of 7 and 8 tokens, vllm", Refusal{"dialect=vllm"}, equal("accepted")}}}},
    };
}

}  // namespace dca::hazards
