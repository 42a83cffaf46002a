// The page of dialects: introduction, tables of rules, facts, agreement.
#include <ostream>

#include "golden/dialect_facts.hpp"
#include "reference/spec/error.hpp"
#include "verify/hazards/document.hpp"
#include "verify/hazards/rule_words.hpp"

namespace dca::hazards {
namespace {

constexpr std::string_view introduction =
    "Dual Chunk Attention means slightly different arithmetic in every public code base. Each published behaviour "
    "that could be read is a dialect: a name that the attribute `dialect` of a file, the word `dialect=` of a case "
    "text and the option `--dialect` take. A dialect is a point in one space of rules "
    "(`reference/spec/dialect.cpp`); there is one forward and one backward pass for all of them. What a rule leads "
    "to is a hazard with a number, [hazards.md](hazards.md). The definition is [definition.md](definition.md), which "
    "also has the dictionary between the settings of the paper and those of the code.";

std::string joined(const std::vector<std::string_view>& names) {
    std::string out;
    for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + code(name);
    return out;
}

struct Meaning {
    std::string_view fact, text;
};

constexpr Meaning meanings[] = {
    {"dialect_phase",
     "prefill: all rows are computed together; decode: each row alone, with the keys up to it. Default: decode for "
     "one query with several keys, else prefill"},
    {"dialect_prompt_length",
     "length of the final prompt. Decode: rows from here on are generated; chunked prefill: may exceed the keys so "
     "far. Default: decode, the offset of the first row; prefill, the number of keys"},
    {"dialect_max_position_embeddings",
     "ChunkLlama family: the reference length O of the factor, none: no factor. vLLM family: rows of the key table "
     "(H14)"},
    {"dialect_max_seen_length", "ChunkLlama family: an earlier call had this many keys (H18)"},
    {"dialect_original_max_position_embeddings",
     "vLLM family and llama.cpp: the reference length O of the factor; none or 0: no factor (but see H24)"},
    {"dialect_table_rows",
     "rows of a table: megatron_pr4048 rotary positions, default as many as tokens (H43); flash decoding: cache "
     "rows, default 33280 (H14)"},
    {"dialect_page_size", "page size of a paged cache; must divide L (H51), results do not depend on it"},
    {"dialect_paper_window", "paper: w_p, default local_size"},
    {"dialect_path", "megatron_pr4048: which of its two code paths ran, default unfused (H29)"},
    {"dialect_sparse_vertical_size",
     "[sparse prefill](sparse_prefill.md): verticals of a query head; with the slashes, this switches it on"},
    {"dialect_sparse_slash_size", "sparse prefill: slashes of a query head"},
    {"dialect_sparse_last_q", "sparse prefill: queries of a segment that vote, default 64"},
    {"dialect_sparse_block", "sparse prefill: rows of a tile and keys of a block, default 64"},
    {"dialect_sparse_forced_verticals", "sparse prefill: first keys that are always taken, default 30"},
    {"dialect_sparse_forced_slashes", "sparse prefill: nearest diagonals that are always taken, default 100"},
    {"dialect_sparse_threshold", "sparse prefill: prompts of at most this length are dense, default 0"},
    {"dialect_sparse_rules", "sparse prefill: which version of the code, default vllm (H53, H55)"},
};

std::string meaning(std::string_view fact) {
    for (const Meaning& one : meanings) {
        if (one.fact == fact) return std::string(one.text);
    }
    throw ContractError("a dialect fact without a description: " + std::string(fact));
}

void write_names(std::ostream& out) {
    write_header(out, {"dialect", "what it is", "read in"});
    for (const Dialect& d : dialects()) write_row(out, {code(d.name), std::string(d.title), std::string(d.source)});
}

/// One row for all dialects with the same maps.
void write_positions(std::ostream& out) {
    write_header(out, {"dialect", "stride", "P_k = P_intra", "P_succ", "P_inter"});
    std::vector<const Dialect*> done;
    for (const Dialect& d : dialects()) {
        const auto same = [&](const Dialect& other) { return other.succ == d.succ && other.inter == d.inter; };
        bool written = false;
        for (const Dialect* one : done) written = written || same(*one);
        if (written) continue;
        done.push_back(&d);
        std::vector<std::string_view> names;
        for (const Dialect& other : dialects()) {
            if (same(other)) names.push_back(other.name);
        }
        write_row(out, {joined(names), "L = C - w", "i mod L", words(d.succ), words(d.inter)});
    }
}

void write_rotation(std::ostream& out) {
    write_header(
        out, {"dialect", "layouts", "`rope_scaling`", "linear with factor F", "angles, cos, sin", "rotated q and k"});
    for (const Dialect& d : dialects()) {
        const bool scales = d.scaling == ScalingSupport::any || d.scaling == ScalingSupport::linear_only;
        write_row(out, {code(d.name), d.interleaved ? "neox, interleaved" : "neox", words(d.scaling),
                        scales ? words(d.linear) : "", words(d.angles), words(d.rotation)});
    }
}

void write_temperature(std::ostream& out) {
    write_header(out, {"dialect", "multiplies", "factor of a length x", "prefill: x of a query", "prefill: x of a key",
                       "decode: x of query i", "decode: x of a prompt key", "decode: x of generated key j"});
    for (const Dialect& d : dialects()) {
        const Lengths x = lengths(d.temperature);
        write_row(out, {code(d.name), words(d.temperature.place), factor_words(d.temperature), x.prefill_query,
                        x.prefill_key, x.decode_query, x.decode_prompt_key, x.decode_generated_key});
    }
}

void write_merge(std::ostream& out) {
    write_header(out, {"dialect", "prefill", "decode", "softmax", "gradient, prefill", "gradient, decode"});
    for (const Dialect& d : dialects()) {
        const bool decodes = d.cache != CacheUse::none;
        write_row(out, {code(d.name), words(d.prefill_merge), decodes ? words(d.decode_merge) : "",
                        d.float32_softmax ? "float32 (H33)" : "", words(d.prefill_gradient),
                        decodes ? words(d.decode_gradient) : ""});
    }
}

void write_limits(std::ostream& out) {
    write_header(out, {"dialect", "cached keys", "packed sequences", "grouped heads", "smallest L", "table"});
    for (const Dialect& d : dialects()) {
        write_row(out,
                  {code(d.name), words(d.cache), d.packed ? "yes" : "no (H37)", d.grouped_heads ? "yes" : "no (H39)",
                   d.min_chunk_len > 1 ? std::to_string(d.min_chunk_len) + " (H7)" : "1", words(d.table)});
    }
}

}  // namespace

void write_rule_tables(std::ostream& out) {
    out << "\n## Positions\n\n";
    write_paragraph(
        out,
        "r = i mod L. A key is rotated by P_k; a query by P_intra for keys of its own chunk, P_succ for keys of the "
        "chunk before, P_inter for all earlier keys. w_p is `dialect_paper_window`, local_size unless given.");
    out << '\n';
    write_positions(out);
    out << "\n## Rotation\n\n";
    write_paragraph(
        out,
        "The activation type is the dtype of the case (f32 for tf32, bf16 for the 8-bit types): table entries, both "
        "products and their sum are then each rounded to it, which does nothing in f64. An empty field: the rule "
        "cannot act.");
    out << '\n';
    write_rotation(out);
    out << "\n## Length temperature\n\n";
    write_paragraph(
        out,
        "The logit of a pair is multiplied by the factor of its query and the factor of its key. O is the reference "
        "length (`dialect_max_position_embeddings` in the ChunkLlama family, "
        "`dialect_original_max_position_embeddings` elsewhere); without it every factor is 1. prompt is "
        "`dialect_prompt_length`, seen `dialect_max_seen_length`. YaRN's constant factor is the attribute `mscale` "
        "(H25) and no length temperature.");
    out << '\n';
    write_temperature(out);
    out << "\n## Merge and gradient\n\n";
    write_paragraph(
        out, "What is rounded on the way from three modes to one row, and what automatic differentiation then gives.");
    out << '\n';
    write_merge(out);
    out << "\n## Limits\n\n";
    write_paragraph(
        out,
        "Where the published code fails, the dialect refuses with an error that names the hazard and the range that "
        "runs.");
    out << '\n';
    write_limits(out);
}

void write_facts(std::ostream& out) {
    out << "\n## Facts a result depends on\n\n";
    write_paragraph(
        out,
        "Attributes of a file and words of a case text. A dialect that does not use one ignores it; other attributes "
        "named dialect_* are kept and ignored.");
    out << '\n';
    write_header(out, {"attribute", "value", "meaning"});
    for (const golden::FactRule& fact : golden::fact_rules()) {
        write_row(out, {code(fact.name), std::string(fact.expected), meaning(fact.name)});
    }
}

void write_agreement(std::ostream& out) {
    if (agreements().empty()) return;
    out << "\n## How well it agrees\n\n";
    write_paragraph(
        out,
        "Recorded outputs of the published codes (tests/recordings) against the dialect computed by the reference: "
        "largest absolute differences over the cases of a number format, unrounded results against recorded ones. "
        "Every case is within what the recordings' README states, and passes `dca compare` as a candidate of its own "
        "dialect.");
    out << '\n';
    write_header(out, {"dialect", "recorded", "cases", "largest difference", "remark"});
    for (const Agreement& row : agreements()) {
        write_row(out, {code(row.dialect), std::string(row.what), std::to_string(row.cases), std::string(row.largest),
                        std::string(row.remark)});
    }
}

/// What a reader who compares bits has to know.
constexpr std::string_view not_emulated[] = {
    "The last rounding of a result: golden values stay double. Round them once to compare bits.",
    "Scores and probabilities that are kept in the activation type: decode of `chunkllama` and `chunkqwen` (scores "
    "rounded after the product and after the scale, probabilities once) and the unfused path of `megatron_pr4048`. In "
    "bf16 that moves out by about 5e-3 relative L2; in float32 and wider it is rounding noise.",
    "Float32 softmax, LSE arithmetic and sums under f64 activations (H33): up to 1e-7 relative.",
    "Roundings inside the backward pass: they count as the identity, as in automatic differentiation, but the products "
    "of the pass itself are double.",
    "The order of sums, and the last bit of another library's float32 cos, sin and pow.",
    "vLLM and SGLang on a GPU may round the prefill factor to the activation type before it multiplies the keys (read "
    "in their sources, not run); here it is float32, as on a CPU."};

void write_not_emulated(std::ostream& out) {
    out << "\n## What is not emulated\n\n";
    for (std::string_view item : not_emulated) {
        write_paragraph(out, "* " + std::string(item));
    }
}

void write_dialects_document(std::ostream& out) {
    out << "# Dialects\n\n<!-- Written by `dca document dialects`; change the data, not this file. -->\n\n";
    write_paragraph(out, introduction);
    out << '\n';
    write_names(out);
    write_rule_tables(out);
    write_differences(out);
    write_facts(out);
    write_agreement(out);
    write_not_emulated(out);
}

}  // namespace dca::hazards
