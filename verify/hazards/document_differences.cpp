// The section of docs/dialects.md that answers: will logits differ, and from which position on?
#include <array>
#include <cstdio>
#include <ostream>

#include "verify/hazards/differences.hpp"
#include "verify/hazards/document.hpp"
#include "verify/hazards/relative_positions.hpp"

namespace dca::hazards {
namespace {

constexpr std::array settings{ChunkConfig{6, 2},        ChunkConfig{9, 4},      ChunkConfig{5, 3},
                              ChunkConfig{4, 0},        ChunkConfig{3072, 512}, ChunkConfig{8192, 1024},
                              ChunkConfig{262144, 8192}};
constexpr ChunkConfig small{6, 2}, large{262144, 8192};
/// Any reference length shows the same; that it does is tested.
constexpr std::int64_t reference_length = 16;

std::string words(const First& index) {
    return index ? std::to_string(*index) : "never";
}

/// A number of tokens, relative to the reference length O.
std::string beyond_reference(const First& length) {
    if (!length) return "never";
    const std::int64_t beyond = *length - reference_length;
    return beyond == 0 ? "O" : (beyond > 0 ? "O + " : "O - ") + std::to_string(beyond > 0 ? beyond : -beyond);
}

std::string setting(const ChunkConfig& chunk) {
    return "C=" + std::to_string(chunk.chunk_size) + " w=" + std::to_string(chunk.local_size);
}

std::string formula(std::string_view a, std::string_view b) {
    for (const PositionFormula& one : position_formulas()) {
        if (one.a == a && one.b == b) return std::string(one.text);
    }
    return "";
}

/// What is compared in a column of the table of positions.
struct Column {
    std::string_view a, b;  ///< b empty: plain causal RoPE
};

std::vector<Column> columns() {
    const std::vector<const Dialect*> classes = position_classes();
    std::vector<Column> all;
    for (const Dialect* one : classes) all.push_back({one->name, ""});
    for (std::size_t a = 0; a < classes.size(); ++a) {
        for (std::size_t b = a + 1; b < classes.size(); ++b) all.push_back({classes[a]->name, classes[b]->name});
    }
    return all;
}

First first_query(const Column& column, const ChunkConfig& chunk) {
    const Problem a = four_chunks(column.a, chunk);
    return column.b.empty() ? first_query_unlike_plain(a) : first_different_query(a, four_chunks(column.b, chunk));
}

/// chunkqwen against chunkllama with rope_scaling linear, factor 2 (H12).
First first_query_divided(const ChunkConfig& chunk) {
    Problem a = four_chunks("chunkqwen", chunk), b = four_chunks("chunkllama", chunk);
    for (Problem* one : {&a, &b}) {
        one->rope.scaling = RopeScaling::linear;
        one->rope.factor = 2;
    }
    return first_different_query(a, b);
}

void write_position_table(std::ostream& out) {
    std::vector<std::string> header{"settings"}, rules{"in general"};
    for (const Column& column : columns()) {
        header.push_back(std::string(column.a) + ", " + (column.b.empty() ? "plain" : std::string(column.b)));
        rules.push_back(formula(column.a, column.b));
    }
    header.emplace_back("chunkqwen, chunkllama, linear F = 2");
    rules.emplace_back("");
    write_header(out, header);
    write_row(out, rules);
    for (const ChunkConfig& chunk : settings) {
        std::vector<std::string> row{setting(chunk)};
        for (const Column& column : columns()) row.push_back(words(first_query(column, chunk)));
        row.push_back(words(first_query_divided(chunk)));
        write_row(out, row);
    }
}

/// The first query with other positions, computed once for dialects with the same rules.
class Positions {
public:
    [[nodiscard]] std::string first(const Dialect& a, const Dialect& b, const ChunkConfig& chunk) const {
        if (same_positions(a, b)) return "never";
        for (const Known& one : known_) {
            if (one.chunk == chunk && same_positions(*one.a, a) && same_positions(*one.b, b)) return one.text;
        }
        known_.push_back(
            {&a, &b, chunk, words(first_different_query(four_chunks(a.name, chunk), four_chunks(b.name, chunk)))});
        return known_.back().text;
    }

private:
    struct Known {
        const Dialect *a, *b;
        ChunkConfig chunk;
        std::string text;
    };
    mutable std::vector<Known> known_;
};

/// One digit: the size of a rounding error, not its value.
std::string size(double difference) {
    if (difference == 0) return "0";
    if (difference < 1e-15) return "below 1e-15";
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%.0e", difference);
    return buffer;
}

/// Prefill / decode.
std::string rounding(const Dialect& a, const Dialect& b, Dtype dtype) {
    const bool decodes = a.cache != CacheUse::none && b.cache != CacheUse::none;
    return size(rounding_difference(a, b, Phase::prefill, dtype)) + " / " +
           (decodes ? size(rounding_difference(a, b, Phase::decode, dtype)) : "-");
}

std::string factor(const First& length, const Dialect& a, const Dialect& b) {
    const auto unknown = [](const Dialect& d) { return d.temperature.place == TemperaturePlace::undocumented; };
    if (unknown(a) || unknown(b)) return "not known beyond O";
    const bool elsewhere = a.temperature.place != b.temperature.place;
    if (!length && elsewhere) return "never; other channels (H11)";
    return beyond_reference(length);
}

void write_pairs(std::ostream& out) {
    write_header(out, {"A", "B", "positions, " + setting(small), "positions, " + setting(large), "factor, prefill of",
                       "factor, decode at", "rounding, f32", "rounding, bf16", "gradient"});
    const Positions positions;
    for (const Dialect& a : dialects()) {
        for (const Dialect& b : dialects()) {
            if (&a >= &b) continue;
            const bool decodes = a.cache != CacheUse::none && b.cache != CacheUse::none;
            write_row(out, {code(a.name), code(b.name), positions.first(a, b, small), positions.first(a, b, large),
                            factor(prefill_factor_differs(a, b, reference_length), a, b),
                            decodes ? factor(decode_factor_differs(a, b, reference_length), a, b) : "",
                            rounding(a, b, Dtype::f32), rounding(a, b, Dtype::bf16),
                            a.prefill_gradient == b.prefill_gradient ? "same rule" : "other (H34)"});
        }
    }
}

bool same(const MergeRule& a, const MergeRule& b) {
    return a.parts == b.parts && a.lse == b.lse && a.weight == b.weight &&
           a.part_in_activation == b.part_in_activation && a.product_in_activation == b.product_in_activation;
}

void write_itself(std::ostream& out) {
    write_header(out, {"dialect", "first row depends on the length of its prompt from",
                       "factor: decode differs from prefill from", "merge in prefill and decode"});
    for (const Dialect& d : dialects()) {
        const bool decodes = d.cache != CacheUse::none;
        const bool unknown = d.temperature.place == TemperaturePlace::undocumented;
        write_row(out,
                  {code(d.name), unknown ? "not known" : beyond_reference(prompt_length_matters(d, reference_length)),
                   !decodes  ? "no decode"
                   : unknown ? "not known"
                             : beyond_reference(decode_leaves_prefill(d, reference_length)),
                   !decodes                                ? ""
                   : same(d.prefill_merge, d.decode_merge) ? "same"
                                                           : "other (H30)"});
    }
}

}  // namespace

void write_differences(std::ostream& out) {
    out << "\n## Will logits differ, and from which position on?\n\n";
    write_paragraph(
        out,
        "Two engines differ in positions, in length factors, in rounding and in gradients, and each begins "
        "somewhere. Everything here is computed from the rules above; `dca diff-dialects A B --case TEXT` answers "
        "for a case of your own.");
    out << "\n### Positions\n\n";
    write_paragraph(
        out,
        "The index of the first query that meets some key at another relative position. Each column names two "
        "dialects, or one and plain causal RoPE; what is not named has the maps of `exact`. Sequences that end "
        "before a dialect's index under plain are plain causal attention in it (H9).");
    out << '\n';
    write_position_table(out);
    out << '\n';
    write_paragraph(
        out,
        "With `rope_scaling` linear, `chunkllama` divides positions after the clamp, which gives the angles of "
        "divided frequencies up to rounding. `chunkqwen` divides twice (H12): the last column.");
    out << "\n### Every pair\n\n";
    write_pairs(out);
    out << '\n';
    for (const char* line : {
             "* positions: first query index, as above.",
             "* factor: the smallest number of tokens for which some logit has another length factor, where both "
             "have the reference length O; decode follows a prompt of O / 2. Without a reference length: never. A "
             "factor that acts on other channels differs with partial rotation only.",
             "* rounding, prefill / decode: relative difference of the outputs of tokens for which neither positions "
             "nor factors differ and two modes are merged (queries 4 and 5 of 7, C=6 w=2), to one digit. "
             "docs/error_model.md says what an honest kernel may have.",
             "* gradient: whether the backward pass of prefill follows the same rule.",
         }) {
        write_paragraph(out, line);
    }
    out << "\n### One dialect against itself\n\n";
    write_itself(out);
}

}  // namespace dca::hazards
