#include "golden/dialect_facts.hpp"

#include <algorithm>
#include <charconv>

#include "golden/schema.hpp"

namespace dca::golden {
namespace {

using F = DialectFacts;
using V = AttributeValue;
using O = std::optional<V>;
using Whole = std::optional<std::int64_t>;

bool in_range(std::int64_t value, std::int64_t smallest) {
    return value >= smallest && value <= max_elements;
}

bool set_whole(Whole& field, const V& value, std::int64_t smallest) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || !in_range(*number, smallest)) return false;
    field = *number;
    return true;
}

bool set_list(std::vector<std::int64_t>& field, const V& value) {
    const auto* one = std::get_if<std::int64_t>(&value);
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    if (one == nullptr && list == nullptr) return false;
    field = one != nullptr ? std::vector{*one} : *list;
    return !field.empty() &&
           std::all_of(field.begin(), field.end(), [](std::int64_t length) { return in_range(length, 1); });
}

O list_value(const std::vector<std::int64_t>& field) {
    if (field.empty()) return std::nullopt;
    return field.size() == 1 ? O(field.front()) : O(field);
}

template <class T>
bool set_named(std::optional<T>& field, std::optional<T> (*parse)(std::string_view), const V& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) field = parse(*text);
    return text != nullptr && field.has_value();
}

/// A fact that is one integer.
template <Whole DialectFacts::*Field, std::int64_t Smallest>
constexpr FactRule whole_rule(const FactName& fact) {
    return {fact.name, fact.expected, [](F& f, const V& v) { return set_whole(f.*Field, v, Smallest); },
            [](const F& f) { return f.*Field ? O(*(f.*Field)) : std::nullopt; }};
}

/// A fact that is one integer or several, all at least 1.
template <std::vector<std::int64_t> DialectFacts::*Field>
constexpr FactRule list_rule(const FactName& fact) {
    return {fact.name, fact.expected, [](F& f, const V& v) { return set_list(f.*Field, v); },
            [](const F& f) { return list_value(f.*Field); }};
}

constexpr std::array<FactRule, fact_names.size()> table{{
    {fact_names[0].name, fact_names[0].expected, [](F& f, const V& v) { return set_named(f.phase, parse_phase, v); },
     [](const F& f) { return f.phase ? O(std::string(name(*f.phase))) : std::nullopt; }},
    list_rule<&F::prompt_length>(fact_names[1]),
    whole_rule<&F::max_position_embeddings, 1>(fact_names[2]),
    whole_rule<&F::max_seen_length, 0>(fact_names[3]),
    whole_rule<&F::original_max_position_embeddings, 0>(fact_names[4]),
    whole_rule<&F::table_rows, 1>(fact_names[5]),
    whole_rule<&F::page_size, 1>(fact_names[6]),
    whole_rule<&F::paper_window, 0>(fact_names[7]),
    {fact_names[8].name, fact_names[8].expected,
     [](F& f, const V& v) { return set_named(f.path, parse_megatron_path, v); },
     [](const F& f) { return f.path ? O(std::string(name(*f.path))) : std::nullopt; }},
    list_rule<&F::sparse_vertical_size>(fact_names[9]),
    list_rule<&F::sparse_slash_size>(fact_names[10]),
    whole_rule<&F::sparse_last_q, 1>(fact_names[11]),
    whole_rule<&F::sparse_block, 1>(fact_names[12]),
    whole_rule<&F::sparse_forced_verticals, 0>(fact_names[13]),
    whole_rule<&F::sparse_forced_slashes, 0>(fact_names[14]),
    whole_rule<&F::sparse_threshold, 0>(fact_names[15]),
    {fact_names[16].name, fact_names[16].expected,
     [](F& f, const V& v) { return set_named(f.sparse_rules, parse_sparse_rules, v); },
     [](const F& f) { return f.sparse_rules ? O(std::string(name(*f.sparse_rules))) : std::nullopt; }},
}};

/// An integer, a list of integers, or the text itself.
V value_of(std::string_view text) {
    std::vector<std::int64_t> numbers;
    for (std::string_view rest = text;;) {
        const std::size_t comma = rest.find(',');
        const std::string_view word = rest.substr(0, comma);
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), numbers.emplace_back());
        if (error != std::errc{} || end != word.data() + word.size()) return std::string(text);
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    return unwrapped(numbers);
}

}  // namespace

const std::array<FactRule, fact_names.size()>& fact_rules() {
    return table;
}

const FactRule* find_fact(std::string_view name) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const FactRule& rule) { return rule.name == name; });
    return found == table.end() ? nullptr : &*found;
}

void set_fact(const FactRule& rule, const AttributeValue& given, DialectFacts& facts) {
    const AttributeValue value = unwrapped(given);
    if (!rule.set(facts, value)) {
        throw FormatError("is " + std::string(kind_text(value)) + " that is not " + std::string(rule.expected));
    }
}

bool read_fact(const FactRule& rule, std::string_view text, DialectFacts& facts) {
    return rule.set(facts, value_of(text));
}

std::string fact_text(const FactRule& rule, const DialectFacts& facts) {
    const auto value = rule.get(facts);
    if (!value) return "";
    if (const auto* text = std::get_if<std::string>(&*value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&*value)) return std::to_string(*number);
    std::string out;
    for (std::int64_t number : std::get<std::vector<std::int64_t>>(*value)) {
        out += (out.empty() ? "" : ",") + std::to_string(number);
    }
    return out;
}

}  // namespace dca::golden
