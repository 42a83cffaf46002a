// H43 .. H52: lengths and shapes that fail, and what engines do around attention.
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::vector<Hazard> shape_hazards() {
    constexpr Area area = Area::shapes;
    constexpr std::string_view engine = "it is an error of the engine around attention, which no case describes";
    return {
        {"H43",
         area,
         "Index out of range just above one chunk",
         {"megatron_pr4048"},
         "",
         "The rotary table has one row for each token, but positions up to min(2L - 1, C) are looked up: lengths L < "
         "n <= min(2L - 1, C) fail. With the defaults 8192 and 1024 that is 7169 to 8192, which contains the usual "
         "seq_length.",
         "seq_q=5 head_dim=8 C=6 w=2 dialect=megatron_pr4048",
         {{{"lengths up to 16 that are refused, C=6 w=2", RefusedLengths{"", 1, 16}, equal("5-6")},
           {"the same, C=9 w=4", RefusedLengths{"C=9 w=4", 1, 16}, equal("6-9")},
           {"lengths 7160 to 8200 that are refused, C=8192 w=1024", RefusedLengths{"C=8192 w=1024", 7160, 8200},
            equal("7169-8192")},
           {"the same lengths of megatron_bridge_pr4185",
            RefusedLengths{"C=8192 w=1024 dialect=megatron_bridge_pr4185", 7160, 8200}, equal("none")},
           {"pairs with a relative position other than i - j among 6 tokens, C=6 w=2: what is refused is plain "
            "attention",
            WrongPairs{"seq_q=6 dialect=exact"}, equal("0")}}}},
        {"H44",
         area,
         "A block table for keys that are already gathered",
         {"vllm"},
         "commit cff7e054; repaired in 006e0acb",
         "Dense prefill gathers the keys from the paged cache and passes the block table to the kernel as well, "
         "whose assertion then fails for every short prompt.",
         "",
         {{}, engine}},
        {"H45",
         area,
         "Recomputation loses the rotation",
         {"megatron_pr4048"},
         "",
         "Selective recomputation of core attention calls it again without the rotary table: no rotation at all for "
         "up to L tokens, an assertion beyond.",
         "seq_q=4 head_dim=8 C=6 w=2 dialect=megatron_pr4048",
         {{{"out of 4 tokens, one chunk, without rotation against with it", OutputDifference{"rope=none", ""},
            rounds_to("0.0911")},
           {"the same, row 0, which sees itself alone", OutputDifference{"rope=none", "", 0, 1}, equal("0")}}}},
        {"H46",
         area,
         "Inference is not DCA",
         {"megatron_pr4048"},
         "",
         "Decoding uses plain rotary positions, dynamic batching rotates keys but not queries, and the flash decode "
         "path goes around the module: a model trained with DCA is served without it.",
         "seq_q=1 seq_k=5 head_dim=8 C=6 w=2 dialect=megatron_pr4048",
         {{{"one query with four cached keys, megatron_pr4048", Refusal{""}, equal("refused")},
           {"the same, megatron_bridge_pr4185, which rejects inference", Refusal{"dialect=megatron_bridge_pr4185"},
            equal("refused")},
           {"the same, vllm", Refusal{"dialect=vllm"}, equal("accepted")}}}},
        {"H47",
         area,
         "float32 on a GPU, and value heads of another size",
         {"megatron_pr4048"},
         "",
         "The flash kernel is called without a check of the type, so float32 fails, in its own GPU test too. The "
         "last reshape takes the query's head size, so v_channels must be kv_channels.",
         "seq_q=12 head_dim=8 head_dim_v=4 C=6 w=2 dialect=megatron_pr4048",
         {{{"values of half the head size", Refusal{""}, equal("refused")},
           {"values of the same head size", Refusal{"head_dim_v=8"}, equal("accepted")},
           {"values of half the head size, megatron_bridge_pr4185", Refusal{"dialect=megatron_bridge_pr4185"},
            equal("accepted")}}}},
        {"H48",
         area,
         "Query and key normalisation is dropped",
         {"megatron_pr4048"},
         "",
         "The module specification leaves out qk_layernorm. A model that was trained with it gives other logits "
         "without any message.",
         "",
         {{}, "normalisation comes before attention and is no part of a case"}},
        {"H49",
         area,
         "The engine no longer has it",
         {"vllm"},
         "vLLM engine V1",
         "The attention exists in engine V0 only; V1 stops with a TypeError about layer_idx. Running a 1M-token Qwen "
         "model needs an old version.",
         "",
         {{}, engine}},
        {"H50",
         area,
         "8-bit caches without their scales",
         {"vllm"},
         "commit 006e0acb",
         "Decode passes descale factors of 1, and keys are multiplied by the length factor before they are "
         "quantised: the cache uses its range differently for every prompt length.",
         "",
         {{}, "an 8-bit cache is no part of a case"}},
        {"H51",
         area,
         "Smaller traps of the serving engines",
         {"vllm", "sglang", "vllm_fork"},
         "",
         "The stride must be a multiple of the page size of the cache. The interleaved layout with one token goes "
         "through a wrong squeeze, SGLang's pull request used attributes that did not exist, and key slots must be "
         "in order.",
         "seq_q=5 head_dim=8 C=6 w=2 dialect=vllm dialect_page_size=3",
         {{{"stride 4, pages of 3", Refusal{""}, equal("refused")},
           {"the same, sglang", Refusal{"dialect=sglang"}, equal("refused")},
           {"stride 4, pages of 4", Refusal{"dialect_page_size=4"}, equal("accepted")}}}},
        {"H52",
         area,
         "Defaults that differ from the text",
         {"chunkllama"},
         "",
         "The text says 32768 trained tokens for Mistral, the code has 32384; the local size changed from a "
         "sixteenth to an eighth of the trained length in April 2024. Both move the first position that differs, or "
         "the chunk borders.",
         "seq_q=24600 head_dim=8 C=24288 w=4048",
         {{{"first query where the code's default (C=24288 w=4048) and the text's (C=24576 w=4096) differ",
            FirstDifferentQuery{"", "C=24576 w=4096"}, equal("24289")},
           {"first query where w = 4096 / 16 and w = 4096 / 8 differ, C=3072",
            FirstDifferentQuery{"seq_q=4096 C=3072 w=256", "seq_q=4096 C=3072 w=512"}, equal("3073")}}}},
    };
}

}  // namespace dca::hazards
