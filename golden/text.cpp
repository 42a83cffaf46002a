#include "golden/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <vector>

namespace dca::golden {
namespace {

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string shortest(double value) {
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> names) {
    constexpr std::size_t longest_name = 64;
    if (word.size() > longest_name) return std::nullopt;
    std::size_t best = word.size() <= 4 ? 2 : 3;
    std::optional<std::string_view> found;
    for (std::string_view name : names) {
        if (const std::size_t distance = edit_distance(word, name); distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> names) {
    const auto found = nearest(word, names);
    return found ? ", did you mean " + std::string(*found) + "?" : "";
}

std::string printable(std::string_view text) {
    constexpr std::size_t limit = 200;
    std::string out(text.substr(0, limit));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text.size() > limit ? out + "..." : out;
}

std::string shape_text(std::span<const std::int64_t> extents) {
    std::string out = "(";
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
        out += (axis == 0 ? "" : ", ") + std::to_string(extents[axis]);
    }
    return out + ")";
}

std::string coordinates(std::span<const std::int64_t> extents, std::int64_t flat) {
    std::vector<std::int64_t> at(extents.size());
    for (std::size_t axis = extents.size(); axis-- > 0;) {
        at[axis] = flat % extents[axis];
        flat /= extents[axis];
    }
    return shape_text(at);
}

bool is_case_id(std::string_view id) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    };
    return !id.empty() && id != "." && id != ".." && std::all_of(id.begin(), id.end(), allowed);
}

}  // namespace dca::golden
