// H1 .. H9: which position a query and a key are rotated by.
#include "verify/hazards/arithmetic.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::vector<Hazard> position_hazards() {
    using A = Arithmetic;
    constexpr Area area = Area::positions;
    return {
        {"H1",
         area,
         "Clamp off by one",
         {"paper"},
         "every public code against the formulas of the paper",
         "The paper's largest query position is c - 1, that of the code is C. Settings copied from one to the other "
         "with c = C put every clamped pair one position off; C = c - 1 and local_size = c - 1 - s translate them.",
         "seq_q=11 head_dim=8 C=10 w=4",
         {{{"relative position of query 10 and key 0, exact", RelativePosition{"", 10, 0}, equal("10")},
           {"the same, paper", RelativePosition{"dialect=paper", 10, 0}, equal("9")},
           {"out of row 10, paper against exact", OutputDifference{"dialect=paper", "", 10, 11}, rounds_to("0.256")},
           {"first query where paper with C=10 w=4 and exact with C=9 w=3 differ, up to 40 tokens",
            FirstDifferentQuery{"dialect=paper seq_q=40", "C=9 w=3 seq_q=40"}, equal("none")}}}},
        {"H2",
         area,
         "The word chunk size means two things",
         {"paper"},
         "every public code against the text of the paper",
         "In the paper the chunk size is the stride of the chunks, in the code it is the clamp, and the stride is "
         "chunk_size - local_size. A model trained on 4096 tokens has stride 3072 in the paper and 2560 in "
         "ChunkLlama.",
         "seq_q=50 head_dim=8 C=48 w=8",
         {{{"first query where ChunkLlama's settings for 64 trained tokens (C=48 w=8) and the paper's (c=64, s=48) "
            "differ",
            FirstDifferentQuery{"", "dialect=paper C=64 w=16"}, equal("49")},
           {"the same for 4096 trained tokens (C=3072 w=512, and c=4096, s=3072)",
            FirstDifferentQuery{"seq_q=4096 C=3072 w=512", "seq_q=4096 C=4096 w=1024 dialect=paper"}, equal("3073")},
           {"out of row 49 in the small case", OutputDifference{"", "dialect=paper C=64 w=16", 49, 50},
            rounds_to("0.212")}}}},
        {"H3",
         area,
         "Position of far keys",
         {"zerollama", "paper"},
         "",
         "Queries meet all keys more than one chunk back at one position: min(2L - 1, C) in most code, C in "
         "zerollama, c - 1 in the paper. The first two differ only where local_size is at least the stride.",
         "seq_q=5 head_dim=8 C=5 w=3",
         {{{"relative position of query 4 and key 0, exact", RelativePosition{"", 4, 0}, equal("3")},
           {"the same, zerollama", RelativePosition{"dialect=zerollama", 4, 0}, equal("5")},
           {"the same, paper", RelativePosition{"dialect=paper", 4, 0}, equal("4")},
           {"out of row 4, zerollama against exact", OutputDifference{"dialect=zerollama", "", 4, 5},
            rounds_to("0.0875")},
           {"first query where zerollama and exact differ with C=6 w=2, up to 24 tokens",
            FirstDifferentQuery{"C=6 w=2 seq_q=24 dialect=zerollama", "C=6 w=2 seq_q=24"}, equal("none")}}}},
        {"H4",
         area,
         "A position the model never saw",
         {"exact", "chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang"},
         "",
         "A model trained on T tokens saw relative positions up to T - 1. With chunk_size = T, as Qwen2.5-1M and "
         "ChunkLlama's settings for Llama 3 have it, far keys sit at position T, one beyond.",
         "seq_q=17 head_dim=8 C=16 w=4",
         {{{"largest relative position of row 16 with chunk_size 16, exact", RelativePosition{"", 16, 0}, equal("16")},
           {"the same, paper with c = 16", RelativePosition{"dialect=paper", 16, 0}, equal("15")},
           {"Qwen2.5-1M (C=262144 w=8192, trained on 262144): query 262144 and key 0",
            RelativePosition{"seq_q=262145 C=262144 w=8192", 262144, 0}, equal("262144")}}}},
        {"H5",
         area,
         "What the local window guarantees",
         {"exact", "paper"},
         "every public code; documents that promise a window of exactly local_size tokens",
         "Distances up to min(local_size + 1, L) keep their true relative position, one more than local_size says. "
         "The first distance that can be wrong is min(local_size + 1, L) + 1.",
         "seq_q=8 head_dim=8 C=6 w=2",
         {{{"smallest distance with a wrong relative position, C=6 w=2", FirstWrongDistance{""}, equal("4")},
           {"the same, paper, which clamps one earlier", FirstWrongDistance{"dialect=paper"}, equal("3")},
           {"the same with 40 tokens, C=10 w=4", FirstWrongDistance{"seq_q=40 C=10 w=4"}, equal("6")},
           {"the same with L = 1, C=6 w=5", FirstWrongDistance{"C=6 w=5"}, equal("2")},
           {"pairs with a wrong relative position among 7 tokens, C=6 w=2", WrongPairs{"seq_q=7"}, equal("0")}}}},
        {"H6",
         area,
         "Errors in the paper's algorithm",
         {},
         "code written from Algorithm 1 and equation 6 of arXiv 2402.17463",
         "The algorithm leaves out the current token or misplaces the border token, divides by the sum of already "
         "normalised maps, returns a tuple instead of the sum, and has negative slice bounds in the first two "
         "chunks; equation 6 prints the intra label where inter is meant.",
         "",
         {{}, "these are errors of a text; no public code follows it literally, and docs/definition.md replaces it"}},
        {"H7",
         area,
         "Settings are not checked",
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding"},
         "",
         "local_size >= chunk_size gives a stride of zero or less: a division by zero, an empty table, or nonsense. "
         "With stride 1 chunkllama and chunkqwen run but turn every channel by the angle of the first pair, because "
         "their one-row query table loses its row axis.",
         "seq_q=4 head_dim=8 C=2 w=1",
         {{{"C=4 w=4", Refusal{"C=4 w=4"}, equal("invalid")},
           {"stride 1, chunkllama", Refusal{"dialect=chunkllama"}, equal("refused")},
           {"stride 1, chunkqwen", Refusal{"dialect=chunkqwen"}, equal("refused")},
           {"stride 1, chunkllama_flash_decoding", Refusal{"dialect=chunkllama_flash_decoding"}, equal("accepted")}}}},
        {"H8",
         area,
         "Chunks counted with C where positions use L",
         {},
         "an MLX resident for Qwen2.5 (quanta) and a Qwen3-MoE retrieval tool",
         "The MLX code has no local size: in prefill a token never sees an earlier chunk, in decode all earlier "
         "chunks sit at the unclamped position r + C. The retrieval tool takes positions mod L but chunks of C "
         "tokens, so a query can stand before its key; it masks with -1e4 instead of -inf.",
         "seq_q=4 head_dim=8 C=4 w=1",
         {{{"relative position of query 3 and key 2, exact", RelativePosition{"", 3, 2}, equal("1")},
           {"the same, chunks of C and positions mod L",
            A{[] { return static_cast<double>(mixed_stride_relative(4, 1, 3, 2)); }}, equal("-2")},
           {"decode position of query 14 for every earlier chunk, C=4, without a clamp",
            A{[] { return static_cast<double>(unclamped_decode_position(4, 14)); }}, equal("6")}}}},
        {"H9",
         area,
         "Expecting a difference too early",
         {},
         "the documents of zerollama; anybody who tests DCA on short inputs",
         "A sequence of at most min(2L, C + 1) tokens has i - j everywhere, although it is longer than a chunk. A "
         "test below that length cannot tell DCA from plain causal RoPE, and a difference there is a bug.",
         "seq_q=7 head_dim=8 C=6 w=2",
         {{{"pairs with a relative position other than i - j, 7 tokens, C=6 w=2", WrongPairs{""}, equal("0")},
           {"the same, 8 tokens", WrongPairs{"seq_q=8"}, equal("4")},
           {"the same, 251 tokens, C=256 w=64", WrongPairs{"seq_q=251 C=256 w=64"}, equal("0")},
           {"the same, 258 tokens, C=256 w=64", WrongPairs{"seq_q=258 C=256 w=64"}, equal("192")}}}},
    };
}

}  // namespace dca::hazards
