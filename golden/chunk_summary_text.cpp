#include "golden/chunk_summary_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "golden/text.hpp"

namespace dca::golden {
namespace {

using chunk_summary::Pooling;
using chunk_summary::Scope;
using View = std::string_view;

template <class T>
bool read_number(View text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

template <class T>
bool assign(std::optional<T> parsed, T& out) {
    if (parsed) out = *parsed;
    return parsed.has_value();
}

struct Word {
    View key, expected;
    bool required;
    bool (*read)(ChunkSummarySpec&, Expectation&, View);
    std::string (*write)(const ChunkSummarySpec&, Expectation);
};

using S = ChunkSummarySpec;
using E = Expectation;
constexpr View an_integer = "an integer", a_number = "a number";

std::string unless_one(std::int64_t value) {
    return value == 1 ? "" : std::to_string(value);
}

// The order is that of the canonical text.
constexpr std::array words{
    Word{"scope", "one of attention block model", false,
         [](S& s, E&, View v) { return assign(chunk_summary::parse_scope(v), s.problem.scope); },
         [](const S& s, E) { return s.problem.scope == Scope::attention ? "" : std::string(name(s.problem.scope)); }},
    Word{"batch", an_integer, false, [](S& s, E&, View v) { return read_number(v, s.problem.batch); },
         [](const S& s, E) { return unless_one(s.problem.batch); }},
    Word{"seq_len", an_integer, true, [](S& s, E&, View v) { return read_number(v, s.problem.seq_len); },
         [](const S& s, E) { return std::to_string(s.problem.seq_len); }},
    Word{"embed", an_integer, false, [](S& s, E&, View v) { return read_number(v, s.problem.embed); },
         [](const S& s, E) {
             return s.problem.embed == s.problem.hidden ? std::string() : std::to_string(s.problem.embed);
         }},
    Word{"hidden", an_integer, true, [](S& s, E&, View v) { return read_number(v, s.problem.hidden); },
         [](const S& s, E) { return std::to_string(s.problem.hidden); }},
    Word{"heads", an_integer, false, [](S& s, E&, View v) { return read_number(v, s.problem.heads); },
         [](const S& s, E) { return unless_one(s.problem.heads); }},
    Word{"chunk_size", an_integer, true, [](S& s, E&, View v) { return read_number(v, s.problem.chunk_size); },
         [](const S& s, E) { return std::to_string(s.problem.chunk_size); }},
    Word{"layers", an_integer, false, [](S& s, E&, View v) { return read_number(v, s.problem.layers); },
         [](const S& s, E) { return unless_one(s.problem.layers); }},
    Word{"pooling", "one of last_timestep all mean_pool", false,
         [](S& s, E&, View v) { return assign(chunk_summary::parse_pooling(v), s.problem.pooling); },
         [](const S& s, E) {
             return s.problem.pooling == Pooling::last_timestep ? "" : std::string(name(s.problem.pooling));
         }},
    Word{"dtype", "one of f64 f32 tf32 f16 bf16", false,
         [](S& s, E&, View v) { return assign(parse_dtype(v), s.problem.dtype); },
         [](const S& s, E) { return s.problem.dtype == Dtype::f64 ? "" : std::string(name(s.problem.dtype)); }},
    Word{"seed", "an integer from 0 to 2^64 - 1", false, [](S& s, E&, View v) { return read_number(v, s.recipe.seed); },
         [](const S& s, E) { return s.recipe.seed == 0 ? "" : std::to_string(s.recipe.seed); }},
    Word{"qk_scale", a_number, false, [](S& s, E&, View v) { return read_number(v, s.recipe.qk_scale); },
         [](const S& s, E) { return s.recipe.qk_scale == 1 ? "" : shortest(s.recipe.qk_scale); }},
    Word{"gradient", "0 or 1", false,
         [](S& s, E&, View v) { return s.recipe.gradient = v == "1", v == "0" || v == "1"; },
         [](const S& s, E) -> std::string { return s.recipe.gradient ? "" : "0"; }},
    Word{"expect", "valid or reject", false,
         [](S&, E& e, View v) {
             e = v == "reject" ? E::must_reject : E::valid;
             return v == "reject" || v == "valid";
         },
         [](const S&, E e) -> std::string { return e == E::valid ? "" : "reject"; }},
};

[[noreturn]] void reject(const std::string& message) {
    throw InvalidProblem("case text: " + message);
}

/// key=value taken apart; `chunk_size` may be called C.
std::pair<View, View> parted(View word) {
    const std::size_t equals = word.find('=');
    if (equals == View::npos) reject("'" + printable(word) + "' is not of the form key=value");
    const View key = word.substr(0, equals);
    return {key == "C" ? "chunk_size" : key, word.substr(equals + 1)};
}

std::size_t index_of(View key) {
    const auto found = std::find_if(words.begin(), words.end(), [&](const Word& word) { return word.key == key; });
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::vector<View> keys{"id", "algorithm"};
    for (const Word& word : words) keys.push_back(word.key);
    reject("unknown word '" + printable(key) + "' of a chunk_summary case" + suggestion(key, keys));
}

}  // namespace

bool names_chunk_summary(std::span<const View> given) {
    bool found = false;
    for (const View word : given) {
        if (!word.starts_with("algorithm=")) continue;
        const View value = word.substr(word.find('=') + 1);
        if (value != algorithm_chunk_summary && value != algorithm_dual_chunk) {
            reject("'" + printable(word) + "': expected one of dual_chunk chunk_summary");
        }
        found = found || value == algorithm_chunk_summary;
    }
    return found;
}

CaseSpec parse_chunk_summary(std::span<const View> given) {
    CaseSpec spec;
    ChunkSummarySpec& of = spec.chunk_summary.emplace();
    std::array<bool, words.size()> seen{};
    bool algorithm_seen = false;
    for (const View part : given) {
        const auto [key, value] = parted(part);
        if (key == "algorithm") {
            if (std::exchange(algorithm_seen, true)) reject("'algorithm' is given twice");
            continue;
        }
        if (key == "id") {
            if (!spec.id.empty()) reject("'id' is given twice");
            if (!is_case_id(value)) reject("id '" + printable(value) + "' must be made of A-Z a-z 0-9 _ . -");
            spec.id = value;
            continue;
        }
        const std::size_t at = index_of(key);
        if (std::exchange(seen[at], true)) reject("'" + std::string(key) + "' is given twice");
        if (!words[at].read(of, spec.expectation, value)) {
            reject("'" + printable(part) + "': expected " + std::string(words[at].expected));
        }
    }
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (words[at].required && !seen[at]) reject("'" + std::string(words[at].key) + "=' is missing");
    }
    if (!seen[index_of("embed")]) of.problem.embed = of.problem.hidden;
    spec.problem.dtype = of.problem.dtype;
    return spec;
}

std::string chunk_summary_text(const CaseSpec& spec) {
    std::string out = "algorithm=" + std::string(algorithm_chunk_summary);
    for (const Word& word : words) {
        const std::string value = word.write(*spec.chunk_summary, spec.expectation);
        if (!value.empty()) out += " " + std::string(word.key) + "=" + value;
    }
    return out;
}

}  // namespace dca::golden
