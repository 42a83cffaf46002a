// One table describes every word of a case text: its key, how it is read, and how it is written (empty: the default).
#include "golden/case_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "golden/chunk_summary_text.hpp"
#include "golden/dialect_facts.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

template <class T>
bool read_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

template <class T>
bool read_number(std::string_view text, std::optional<T>& out) {
    return read_number(text, out.emplace());
}

template <class T>
bool read_list(std::string_view text, std::vector<T>& out) {
    for (;;) {
        const std::size_t comma = text.find(',');
        if (!read_number(text.substr(0, comma), out.emplace_back())) return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

bool read_flag(std::string_view text, bool& out) {
    out = text == "1";
    return text == "0" || text == "1";
}

template <class T>
bool assign(std::optional<T> parsed, T& out) {
    if (parsed) out = *parsed;
    return parsed.has_value();
}

template <class T>
bool assign(std::optional<T> parsed, std::optional<T>& out) {
    return out = parsed, parsed.has_value();
}

bool read_expectation(std::string_view text, Expectation& out) {
    out = text == "reject" ? Expectation::must_reject : Expectation::valid;
    return text == "reject" || text == "valid";
}

std::string text_of(double value) {
    return shortest(value);
}
std::string text_of(std::int64_t value) {
    return std::to_string(value);
}

template <class T>
std::string text_of(const std::optional<T>& value) {
    return value ? text_of(*value) : "";
}

template <class T>
std::string unless(const T& standard, const T& value) {
    return value == standard ? "" : text_of(value);
}

template <class T>
std::string list_text(const std::vector<T>& values) {
    std::string out;
    for (const T& value : values) out += (out.empty() ? "" : ",") + text_of(value);
    return out;
}

std::string type_text(const std::optional<Dtype>& dtype) {
    return dtype ? std::string(name(*dtype)) : "";
}

constexpr std::string_view an_integer = "an integer";
constexpr std::string_view a_number = "a number";
constexpr std::string_view a_flag = "0 or 1";

struct Word {
    std::string_view key;
    std::string_view expected;
    bool (*read)(CaseSpec&, std::string_view);
    std::string (*write)(const CaseSpec&);
    bool required = false;
};

using S = CaseSpec;
using View = std::string_view;
const RopeConfig rope_defaults{};
const InputRecipe recipe_defaults{};

/// A fact of the dialect, under the name of its attribute.
template <std::size_t N>
constexpr Word fact_word() {
    return {fact_names[N].name, fact_names[N].expected,
            [](S& s, View v) { return read_fact(fact_rules()[N], v, s.problem.facts); },
            [](const S& s) { return fact_text(fact_rules()[N], s.problem.facts); }};
}

// The order is that of the canonical text. `id` and the defaults that follow another word are handled apart, below.
constexpr std::array words{
    Word{"batch", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.batch); },
         [](const S& s) { return unless<std::int64_t>(1, s.problem.shape.batch); }},
    Word{"seq_q", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.seq_q); },
         [](const S& s) { return text_of(s.problem.shape.seq_q); }, true},
    Word{"seq_k", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.seq_k); },
         [](const S& s) { return unless(s.problem.shape.seq_q, s.problem.shape.seq_k); }},
    Word{"heads_q", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.heads_q); },
         [](const S& s) { return unless<std::int64_t>(1, s.problem.shape.heads_q); }},
    Word{"heads_kv", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.heads_kv); },
         [](const S& s) { return unless(s.problem.shape.heads_q, s.problem.shape.heads_kv); }},
    Word{"head_dim", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.head_dim); },
         [](const S& s) { return text_of(s.problem.shape.head_dim); }, true},
    Word{"head_dim_v", an_integer, [](S& s, View v) { return read_number(v, s.problem.shape.head_dim_v); },
         [](const S& s) { return unless(s.problem.shape.head_dim, s.problem.shape.head_dim_v); }},
    Word{"chunk_size", an_integer, [](S& s, View v) { return read_number(v, s.problem.chunk.chunk_size); },
         [](const S& s) { return text_of(s.problem.chunk.chunk_size); }, true},
    Word{"local_size", an_integer, [](S& s, View v) { return read_number(v, s.problem.chunk.local_size); },
         [](const S& s) { return text_of(s.problem.chunk.local_size); }, true},
    Word{"dtype", "one of f64 f32 tf32 f16 bf16 e4m3 e5m2",
         [](S& s, View v) { return assign(parse_dtype(v), s.problem.dtype); },
         [](const S& s) { return s.problem.dtype == Dtype::f64 ? "" : std::string(name(s.problem.dtype)); }},
    Word{"p_dtype", "one of f64 f32 tf32 f16 bf16 e4m3 e5m2",
         [](S& s, View v) { return assign(parse_dtype(v), s.problem.work.p); },
         [](const S& s) { return type_text(s.problem.work.p); }},
    Word{"accumulator", "one of f64 f32 f16 bf16",
         [](S& s, View v) { return assign(parse_dtype(v), s.problem.work.accumulator); },
         [](const S& s) { return type_text(s.problem.work.accumulator); }},
    Word{"output_dtype", "one of f64 f32 f16 bf16",
         [](S& s, View v) { return assign(parse_dtype(v), s.problem.work.output); },
         [](const S& s) { return type_text(s.problem.work.output); }},
    Word{"dialect", "a name", [](S& s, View v) { return s.problem.dialect = v, !v.empty(); },
         [](const S& s) { return s.problem.dialect == "exact" ? "" : s.problem.dialect; }},
    fact_word<0>(),
    fact_word<1>(),
    fact_word<2>(),
    fact_word<3>(),
    fact_word<4>(),
    fact_word<5>(),
    fact_word<6>(),
    fact_word<7>(),
    fact_word<8>(),
    fact_word<9>(),
    fact_word<10>(),
    fact_word<11>(),
    fact_word<12>(),
    fact_word<13>(),
    fact_word<14>(),
    fact_word<15>(),
    fact_word<16>(),
    Word{"rope", "one of neox interleaved none",
         [](S& s, View v) { return assign(parse_rope_layout(v), s.problem.rope.layout); },
         [](const S& s) {
             return s.problem.rope.layout == RopeLayout::neox ? "" : std::string(name(s.problem.rope.layout));
         }},
    Word{"rotary_dim", an_integer, [](S& s, View v) { return read_number(v, s.problem.rope.rotary_dim); },
         [](const S& s) { return text_of(s.problem.rope.rotary_dim); }},
    Word{"rope_base", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.base); },
         [](const S& s) { return unless(rope_defaults.base, s.problem.rope.base); }},
    Word{"rope_scaling", "one of none linear ntk dynamic yarn llama3",
         [](S& s, View v) { return assign(parse_rope_scaling(v), s.problem.rope.scaling); },
         [](const S& s) {
             return s.problem.rope.scaling == RopeScaling::none ? "" : std::string(name(s.problem.rope.scaling));
         }},
    Word{"rope_factor", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.factor); },
         [](const S& s) { return text_of(s.problem.rope.factor); }},
    Word{"original_max_position", a_number,
         [](S& s, View v) { return read_number(v, s.problem.rope.original_max_position); },
         [](const S& s) { return text_of(s.problem.rope.original_max_position); }},
    Word{"beta_fast", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.beta_fast); },
         [](const S& s) { return unless(rope_defaults.beta_fast, s.problem.rope.beta_fast); }},
    Word{"beta_slow", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.beta_slow); },
         [](const S& s) { return unless(rope_defaults.beta_slow, s.problem.rope.beta_slow); }},
    Word{"low_freq_factor", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.low_freq_factor); },
         [](const S& s) { return unless(rope_defaults.low_freq_factor, s.problem.rope.low_freq_factor); }},
    Word{"high_freq_factor", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.high_freq_factor); },
         [](const S& s) { return unless(rope_defaults.high_freq_factor, s.problem.rope.high_freq_factor); }},
    Word{"mscale", a_number, [](S& s, View v) { return read_number(v, s.problem.rope.mscale); },
         [](const S& s) { return text_of(s.problem.rope.mscale); }},
    Word{"inv_freq", "numbers separated by commas", [](S& s, View v) { return read_list(v, s.problem.rope.inv_freq); },
         [](const S& s) { return list_text(s.problem.rope.inv_freq); }},
    Word{"softmax_scale", a_number, [](S& s, View v) { return read_number(v, s.problem.softmax_scale); },
         [](const S& s) { return text_of(s.problem.softmax_scale); }},
    Word{"query_offset", an_integer, [](S& s, View v) { return read_number(v, s.problem.query_offset); },
         [](const S& s) { return text_of(s.problem.query_offset); }},
    Word{"cu_seqlens", "32-bit integers separated by commas",
         [](S& s, View v) { return read_list(v, s.problem.cu_seqlens); },
         [](const S& s) {
             return list_text(std::vector<std::int64_t>(s.problem.cu_seqlens.begin(), s.problem.cu_seqlens.end()));
         }},
    Word{"seed", "an integer from 0 to 2^64 - 1", [](S& s, View v) { return read_number(v, s.recipe.seed); },
         [](const S& s) { return s.recipe.seed == 0 ? "" : std::to_string(s.recipe.seed); }},
    Word{"qk_scale", a_number, [](S& s, View v) { return read_number(v, s.recipe.qk_scale); },
         [](const S& s) { return unless(recipe_defaults.qk_scale, s.recipe.qk_scale); }},
    Word{"v_offset", a_number, [](S& s, View v) { return read_number(v, s.recipe.v_offset); },
         [](const S& s) { return unless(recipe_defaults.v_offset, s.recipe.v_offset); }},
    Word{"constant_v", a_flag, [](S& s, View v) { return read_flag(v, s.recipe.constant_v); },
         [](const S& s) -> std::string { return s.recipe.constant_v ? "1" : ""; }},
    Word{"linear_v", a_flag, [](S& s, View v) { return read_flag(v, s.recipe.linear_v); },
         [](const S& s) -> std::string { return s.recipe.linear_v ? "1" : ""; }},
    Word{"gradient", a_flag, [](S& s, View v) { return read_flag(v, s.recipe.gradient); },
         [](const S& s) -> std::string { return s.recipe.gradient ? "" : "0"; }},
    Word{"probe", a_flag, [](S& s, View v) { return read_flag(v, s.recipe.probe); },
         [](const S& s) -> std::string { return s.recipe.probe ? "1" : ""; }},
    Word{"sample", "an integer of at least 1",
         [](S& s, View v) { return read_number(v, s.recipe.sample) && s.recipe.sample >= 1; },
         [](const S& s) { return unless(recipe_defaults.sample, s.recipe.sample); }},
    Word{"expect", "valid or reject", [](S& s, View v) { return read_expectation(v, s.expectation); },
         [](const S& s) -> std::string { return s.expectation == Expectation::valid ? "" : "reject"; }},
};

constexpr std::size_t index_of(std::string_view key) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].key == key) return i;
    }
    return words.size();
}

/// The symbols of Def.1 are accepted for the two sizes everybody writes that way.
constexpr std::string_view long_key(std::string_view key) {
    return key == "C" ? "chunk_size" : key == "w" ? "local_size" : key;
}

[[noreturn]] void reject(const std::string& message) {
    throw InvalidProblem("case text: " + message);
}

std::string text_without_id(const CaseSpec& spec) {
    if (spec.chunk_summary) return chunk_summary_text(spec);
    std::string out;
    for (const Word& word : words) {
        const std::string value = word.write(spec);
        if (!value.empty()) out += (out.empty() ? "" : " ") + std::string(word.key) + "=" + value;
    }
    return out;
}

/// An id that depends on the rest of the text alone.
std::string derived_id(const CaseSpec& spec) {
    const std::string text = text_without_id(spec);
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
    std::array<char, 16> id{};
    std::snprintf(id.data(), id.size(), "case_%08lx", static_cast<unsigned long>(checksum));
    return id.data();
}

std::vector<std::string_view> split(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    std::vector<std::string_view> parts;
    for (std::size_t start = text.find_first_not_of(space); start != std::string_view::npos;) {
        const std::size_t end = text.find_first_of(space, start);
        parts.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        start = text.find_first_not_of(space, end);
    }
    return parts;
}

std::string unknown_word(std::string_view key) {
    std::vector<std::string_view> keys{"id"};
    for (const Word& word : words) keys.push_back(word.key);
    return "unknown word '" + printable(key) + "'" + suggestion(key, keys);
}

}  // namespace

std::string to_text(const CaseSpec& spec) {
    const std::string rest = text_without_id(spec);
    return spec.id.empty() || spec.id == derived_id(spec) ? rest : "id=" + spec.id + " " + rest;
}

CaseSpec parse_case(std::string_view text) {
    const std::vector<std::string_view> parts = split(text);
    CaseSpec spec;
    if (names_chunk_summary(parts)) {
        spec = parse_chunk_summary(parts);
        if (spec.id.empty()) spec.id = derived_id(spec);
        return spec;
    }
    std::array<bool, words.size()> seen{};
    for (std::string_view part : parts) {
        const std::size_t equals = part.find('=');
        const bool bare = part == "probe";  // the one word that may stand alone
        if (equals == std::string_view::npos && !bare) {
            reject("'" + printable(part) + "' is not of the form key=value");
        }
        const std::string_view key = long_key(part.substr(0, equals));
        const std::string_view value = bare ? std::string_view("1") : part.substr(equals + 1);
        if (key == "algorithm") continue;  // dual_chunk, the default
        if (key == "id") {
            if (!spec.id.empty()) reject("'id' is given twice");
            if (!is_case_id(value)) reject("id '" + printable(value) + "' must be made of A-Z a-z 0-9 _ . -");
            spec.id = value;
            continue;
        }
        const std::size_t at = index_of(key);
        if (at == words.size()) reject(unknown_word(key));
        if (seen[at]) reject("'" + std::string(key) + "' is given twice");
        seen[at] = true;
        if (!words[at].read(spec, value)) {
            reject("'" + printable(part) + "': expected " + std::string(words[at].expected));
        }
    }
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (words[at].required && !seen[at]) reject("'" + std::string(words[at].key) + "=' is missing");
    }
    Shape& shape = spec.problem.shape;
    if (!seen[index_of("seq_k")]) shape.seq_k = shape.seq_q;
    if (!seen[index_of("heads_kv")]) shape.heads_kv = shape.heads_q;
    if (!seen[index_of("head_dim_v")]) shape.head_dim_v = shape.head_dim;
    if (spec.id.empty()) spec.id = derived_id(spec);
    return spec;
}

}  // namespace dca::golden
