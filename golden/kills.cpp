#include "golden/kills.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "golden/catalogue.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

// Written by: dca document kills --suite NAME
constexpr std::string_view ci_table =
#include "golden/kills_ci.inc"
    ;
constexpr std::string_view smoke_table =
#include "golden/kills_smoke.inc"
    ;

/// Cuts the part before the separator off the front.
std::string_view next(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

/// The line of a case in a table, without its id; nothing where there is none.
std::optional<std::string_view> line_of(std::string_view table, std::string_view id) {
    while (!table.empty()) {
        std::string_view line = next(table, '\n');
        if (next(line, ' ') == id) return line;
    }
    return std::nullopt;
}

double margin_of(std::string_view text) {
    if (text == "inf") return std::numeric_limits<double>::infinity();
    double margin = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), margin);
    if (error != std::errc{} || end != text.data() + text.size() || !(margin >= 1))
        throw FormatError("has the margin '" + printable(text) + "', expected a number of at least 1 or inf");
    return margin;
}

}  // namespace

std::vector<Kill> parse_kills(std::string_view text) {
    std::vector<Kill> kills;
    while (!text.empty()) {
        std::string_view word = next(text, ' ');
        const std::string_view whole = word, mutant = next(word, '=');
        if (mutant.empty() || word.empty())
            throw FormatError("has the word '" + printable(whole) + "', expected MUTANT=MARGIN");
        kills.push_back({std::string(mutant), margin_of(word)});
    }
    if (kills.empty()) throw FormatError("is empty: a case that catches no mistake proves nothing");
    return kills;
}

std::string_view kill_table(std::string_view suite) {
    if (suite == "ci") return ci_table;
    if (suite == "smoke") return smoke_table;
    return {};
}

std::optional<std::string> known_kills(const CaseSpec& spec) {
    for (const SuiteInfo& info : suites()) {
        const std::string_view table = kill_table(info.name);
        std::optional<std::string_view> margins = line_of(table, spec.id);
        if (!margins) continue;
        const auto cases = suite(info.name);
        if (std::ranges::find(cases, spec) == cases.end()) continue;
        std::string_view ids = *line_of(table, "case");
        std::string text;
        while (!ids.empty() && !margins->empty()) {
            const std::string_view id = next(ids, ' '), margin = next(*margins, ' ');
            if (margin != "-") text += (text.empty() ? "" : " ") + std::string(id) + "=" + std::string(margin);
        }
        return text;
    }
    return std::nullopt;
}

}  // namespace dca::golden
