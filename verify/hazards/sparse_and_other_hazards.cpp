// H53 .. H63: sparse prefill, other algorithms under the same name, documents and tests.
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::vector<Hazard> sparse_and_other_hazards() {
    constexpr std::string_view sparse =
        "the tests of sparse prefill show it; docs/sparse_prefill.md describes the rule";
    constexpr std::string_view summary =
        "it is about another algorithm; docs/chunk_summary.md describes it, and its tests show it";
    return {
        {"H53",
         Area::sparse,
         "A short segment shrinks all later ones",
         {"vllm"},
         "vertical-slash sparse prefill",
         "The numbers of verticals and slashes of a head are clamped in place to the keys of the current segment. "
         "After a first segment of 64 keys all later segments work with 64.",
         "",
         {{}, sparse}},
        {"H54",
         Area::sparse,
         "The diagonal may be missing",
         {"vllm"},
         "vertical-slash sparse prefill",
         "The last 100 slashes are all set to infinity and tie. A head that keeps fewer may lose the diagonal: rows "
         "then have no intra key, not even themselves, and where a list stays empty the published index builder does "
         "not end.",
         "",
         {{}, sparse}},
        {"H55",
         Area::sparse,
         "Two fallbacks for an empty list",
         {"vllm", "sglang"},
         "vertical-slash sparse prefill",
         "Where a mode selects nothing, evenly spaced indices stand in; their step is truncated in vLLM (0, 12, 24, "
         "... for 64 keys) and rounded up in newer SGLang (0, 13, 26, ...).",
         "",
         {{}, sparse}},
        {"H56",
         Area::sparse,
         "One head size, and ties in any order",
         {"vllm", "sglang"},
         "vertical-slash sparse prefill",
         "The kernel is for 128 channels. The order of equal scores in top-k is not specified, so with fewer than "
         "100 slashes or 30 verticals two runs may select different keys.",
         "",
         {{}, sparse}},
        {"H57",
         Area::sparse,
         "Tiles attend to more than was selected",
         {"vllm", "sglang"},
         "vertical-slash sparse prefill",
         "Slash ranges are extended by whole blocks of 64 that are not aligned, and the first block is moved to the "
         "start: a test that expects exactly the selected keys fails.",
         "",
         {{}, sparse}},
        {"H58",
         Area::sparse,
         "Selection and attention use other positions",
         {"vllm", "sglang"},
         "vertical-slash sparse prefill",
         "Keys are scored with the unclamped positions r + L and r + C, and attended with the clamped ones. A "
         "reference that selects with the positions of attention selects other keys.",
         "",
         {{}, sparse}},
        {"H59",
         Area::other,
         "Not causal inside a chunk",
         {},
         "Edifice DualChunk and squish, which are other algorithms",
         "Summaries are means over a whole chunk, the current one included: an output depends on later tokens of its "
         "chunk. In squish the selection leaks the same way. Training with next-token targets sees the answer.",
         "",
         {{}, summary}},
        {"H60",
         Area::other,
         "Defaults and description of the chunk-summary attention",
         {},
         "Edifice DualChunk",
         "The default sequence length 60 is no multiple of the default chunk 64 and fails; 1e-8 in the denominator "
         "is invisible in float32 and not in float64; there are no positions at all; the method is credited to the "
         "wrong authors.",
         "",
         {{}, summary}},
        {"H61",
         Area::other,
         "Automatic chunk size switches DCA off",
         {},
         "opencoti (documents only)",
         "The chunk is set to the trained context, which a metadata override has enlarged to the wanted one: "
         "everything is one chunk and plain causal RoPE runs far beyond the trained positions.",
         "seq_q=20 head_dim=8 C=6 w=2",
         {{{"pairs with a relative position other than i - j, C=6 w=2", WrongPairs{""}, equal("112")},
           {"the same, one chunk for the whole context", WrongPairs{"C=1048576 w=0"}, equal("0")},
           {"out, one chunk against C=6 w=2", OutputDifference{"C=1048576 w=0", ""}, rounds_to("0.154")}}}},
        {"H62",
         Area::other,
         "Memory or time of n times c",
         {},
         "a Megatron-LM feature request, comments in code",
         "DCA attends to all n (n + 1) / 2 causal pairs, as plain attention does; only positions change. Linear "
         "memory comes from the flash algorithm, not from chunks.",
         "seq_q=12 head_dim=8 C=6 w=2",
         {{{"visible pairs of 12 tokens, C=6 w=2", VisiblePairs{""}, equal("78")},
           {"of 24 tokens", VisiblePairs{"seq_q=24"}, equal("300")},
           {"of 24 tokens in one chunk", VisiblePairs{"seq_q=24 C=32 w=0"}, equal("300")}}}},
        {"H63",
         Area::other,
         "Tests that cannot fail",
         {"vllm", "sglang", "megatron_pr4048"},
         "Edifice DualChunk",
         "vLLM has no test of the attention, SGLang's uses lengths at which the length factor is 1 and queries that "
         "were never rotated, Megatron's and Edifice's look at shapes. None would notice a wrong position, weight or "
         "gradient.",
         "seq_q=256 head_dim=8 C=64 w=16 dialect=sglang dialect_original_max_position_embeddings=32768",
         {{{"factor of query 255 and key 0 with SGLang's test settings, 256 tokens", LogitFactor{"", 255, 0},
            equal("1")},
           {"out of those 256 tokens with against without the factor",
            OutputDifference{"", "dialect_original_max_position_embeddings="}, equal("0")}}}},
    };
}

}  // namespace dca::hazards
