// H10 .. H16: layout, scaling and precision of the rotation.
#include "verify/hazards/arithmetic.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::vector<Hazard> rope_hazards() {
    using A = Arithmetic;
    constexpr Area area = Area::rope;
    return {
        {"H10",
         area,
         "Pairs of the wrong layout",
         {},
         "an MLX resident for Qwen2.5 (quanta)",
         "NeoX weights pair channel k with k + rotary_dim / 2, the interleaved layout 2k with 2k + 1. Rotating NeoX "
         "weights in the interleaved layout gives fluent nonsense: nothing fails, row 0 is right, all others are not.",
         "seq_q=2 head_dim=4 C=6 w=2",
         {{{"out of row 1, interleaved against neox", OutputDifference{"rope=interleaved", "", 1, 2},
            rounds_to("1.87")},
           {"out of row 0", OutputDifference{"rope=interleaved", "", 0, 1}, equal("0")},
           {"all rows with head_dim 2, where both layouts have the one pair",
            OutputDifference{"rope=interleaved head_dim=2", "head_dim=2"}, equal("0")}}}},
        {"H11",
         area,
         "What a factor does to channels that are not rotated",
         {"vllm_fork", "vllm", "sglang", "chunkllama", "megatron_pr4048", "megatron_bridge_pr4185"},
         "",
         "The vLLM family multiplies whole keys and the softmax scale by its length factor; ChunkLlama and Megatron "
         "multiply cos and sin, so channels beyond rotary_dim keep their weight. With all channels rotated the two "
         "are the same.",
         "seq_q=8 head_dim=8 rotary_dim=4 C=6 w=2",
         // mscale = 0.1 ln(8 / 4) + 1, the factor of 8 tokens
         {{{"half the channels rotated: vllm with 8 tokens of 4, against cos and sin times the same factor",
            OutputDifference{"dialect=vllm dialect_original_max_position_embeddings=4", "mscale=1.0693147180559945"},
            rounds_to("0.0483")},
           {"all channels rotated",
            OutputDifference{"rotary_dim=8 dialect=vllm dialect_original_max_position_embeddings=4",
                             "rotary_dim=8 mscale=1.0693147180559945"},
            float32_noise}}}},
        {"H12",
         area,
         "Position interpolation in two orders",
         {"chunkqwen"},
         "chunkllama before 18 March 2024",
         "With a linear factor F the position of a key one chunk back is min(r + L, C) / F if the clamp comes first, "
         "and min(r / F + L, C) / F if r is divided first: L and C are then divided once, r twice.",
         "seq_q=5 head_dim=8 C=4 w=1 rope_scaling=linear rope_factor=2",
         {{{"position of query 4 for key 0, chunkqwen", RelativePosition{"dialect=chunkqwen", 4, 0}, equal("1.75")},
           {"the same, chunkllama", RelativePosition{"dialect=chunkllama", 4, 0}, equal("2")},
           {"query 3, chunkqwen", RelativePosition{"dialect=chunkqwen", 3, 0}, equal("1.5")},
           {"query 3, chunkllama", RelativePosition{"dialect=chunkllama", 3, 0}, equal("1.5")},
           {"first query where the two differ", FirstDifferentQuery{"dialect=chunkqwen", "dialect=chunkllama"},
            equal("4")},
           {"the same with factor 1 and 40 tokens",
            FirstDifferentQuery{"dialect=chunkqwen rope_factor=1 seq_q=40",
                                "dialect=chunkllama rope_factor=1 seq_q=40"},
            equal("none")},
           {"out of row 4, chunkqwen against chunkllama",
            OutputDifference{"dialect=chunkqwen", "dialect=chunkllama", 4, 5}, rounds_to("0.0153")}}}},
        {"H13",
         area,
         "Angles in float32, tables in bf16",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang", "megatron_pr4048",
          "megatron_bridge_pr4185", "llama_cpp_dca", "zerollama"},
         "",
         "A float32 angle is wrong by the rounding of the frequency times the position: milliradians and more at the "
         "positions of 1M-token models. Tables kept in bf16 add half a unit of eight bits to every cosine and sine.",
         "seq_q=4 head_dim=8 C=6 w=2",
         {{{"largest error of a float32 angle at positions 261145 to 262144, base 1e7, 128 channels, in rad",
            A{[] { return float32_angle_error(262144, 1e7, 128); }}, rounds_to("0.00885")},
           {"the same at positions 2073 to 3072, base 1e4", A{[] { return float32_angle_error(3072, 1e4, 128); }},
            rounds_to("0.000213")},
           {"largest error of a cosine in bf16; 2^-9 is 0.001953", A{[] { return bf16_cosine_error(); }},
            rounds_to("0.00195")},
           {"out, chunkllama against exact, f64, 4 tokens: the float32 angles alone",
            OutputDifference{"dialect=chunkllama", ""}, rounds_to("1.12e-8")}}}},
        {"H14",
         area,
         "A table ends",
         {"vllm_fork", "vllm", "sglang", "chunkllama_flash_decoding"},
         "",
         "Keys are looked up by absolute index in a table of max_position_embeddings rows (vLLM family), or stored "
         "in a cache of 32768 + 512 rows (flash decoding). One key more is an index error, or on a GPU a read beyond "
         "the table.",
         "seq_q=9 head_dim=8 C=6 w=2 dialect=vllm dialect_max_position_embeddings=8",
         {{{"lengths up to 12 that are refused, vllm with 8 rows", RefusedLengths{"", 1, 12}, equal("9-12")},
           {"the same, sglang", RefusedLengths{"dialect=sglang", 1, 12}, equal("9-12")},
           {"the same, chunkllama_flash_decoding with 8 cache rows",
            RefusedLengths{"dialect=chunkllama_flash_decoding dialect_table_rows=8", 1, 12}, equal("9-12")},
           {"lengths 33270 to 33290 that are refused, chunkllama_flash_decoding with its default",
            RefusedLengths{"dialect=chunkllama_flash_decoding", 33270, 33290}, equal("33281-33290")}}}},
        {"H15",
         area,
         "rope_scaling next to DCA",
         {"vllm_fork", "vllm", "sglang", "chunkllama", "chunkqwen", "chunkllama_flash_decoding"},
         "",
         "vLLM and SGLang take a model with rope_scaling and rotate it as if there were none; the fork raises an "
         "error; the ChunkLlama scripts replace plain and linear rotary classes only. A YaRN model then runs with "
         "frequencies it was not tuned for.",
         "seq_q=12 head_dim=8 C=6 w=2 rope_scaling=yarn rope_factor=4 original_max_position=8",
         {{{"out, vllm with YaRN against vllm without",
            OutputDifference{"dialect=vllm", "dialect=vllm rope_scaling=none rope_factor= original_max_position="},
            equal("0")},
           {"the same, sglang",
            OutputDifference{"dialect=sglang", "dialect=sglang rope_scaling=none rope_factor= original_max_position="},
            equal("0")},
           {"the same, exact", OutputDifference{"", "rope_scaling=none rope_factor= original_max_position="},
            rounds_to("0.147")},
           {"vllm_fork", Refusal{"dialect=vllm_fork"}, equal("refused")},
           {"chunkllama", Refusal{"dialect=chunkllama"}, equal("refused")}}}},
        {"H16",
         area,
         "YaRN forgets the partial rotation",
         {"megatron_pr4048"},
         "",
         "Megatron's YaRN table is built for the whole head whatever rotary_percent says, refuses the interleaved "
         "layout, and decides by the presence of an attribute, so that a factor that is present but None ends in a "
         "TypeError.",
         "seq_q=6 head_dim=8 rotary_dim=4 C=6 w=2 rope_scaling=yarn rope_factor=4 original_max_position=8",
         {{{"out with all 8 channels rotated, as built, against 4 of 8, as asked for; exact",
            OutputDifference{"rotary_dim=8", ""}, rounds_to("0.161")},
           {"the same with rotary_percent 1", OutputDifference{"rotary_dim=8", "rotary_dim="}, equal("0")}}}},
    };
}

}  // namespace dca::hazards
