#include "verify/candidate/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "golden/text.hpp"
#include "reference/spec/error.hpp"

namespace dca::verify {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, ElementType>, 8> element_names{{
    {"F64", ElementType::f64},
    {"F32", ElementType::f32},
    {"F16", ElementType::f16},
    {"BF16", ElementType::bf16},
    {"F8_E4M3", ElementType::e4m3},
    {"F8_E5M2", ElementType::e5m2},
    {"I64", ElementType::i64},
    {"I32", ElementType::i32},
}};

constexpr std::size_t most_axes = 32;

/// Object, tensor, list: nothing in a header nests deeper.
constexpr int max_depth = 3;

json parse_strictly(std::string_view text) {
    std::vector<std::set<std::string>> keys(max_depth + 2);
    const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > max_depth) throw FormatError("has a header nested too deeply");
        if (event == json::parse_event_t::object_start) keys[static_cast<std::size_t>(depth) + 1].clear();
        if (event == json::parse_event_t::key &&
            !keys[static_cast<std::size_t>(depth)].insert(parsed.get<std::string>()).second) {
            throw FormatError("has the header entry '" + golden::printable(parsed.get<std::string>()) + "' twice");
        }
        return true;
    };
    try {
        return json::parse(text, watch);
    } catch (const json::exception& error) {
        throw FormatError("has a header that is not JSON (" + golden::printable(error.what()) + ")");
    }
}

std::uint64_t unsigned_value(const json& value, const char* what) {
    if (!value.is_number_unsigned()) throw FormatError(std::string("has a ") + what + " that is not a natural number");
    return value.get<std::uint64_t>();
}

SafetensorsEntry parse_entry(const json& value) {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
        throw FormatError("needs dtype, shape and data_offsets and nothing else");
    }
    const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
    if (!dtype.is_string()) throw FormatError("has a dtype that is not a string");
    if (!shape.is_array() || !offsets.is_array() || offsets.size() != 2) {
        throw FormatError("has a shape or data_offsets that is not a list");
    }
    SafetensorsEntry entry;
    entry.type_name = dtype.get<std::string>();
    for (const auto& [name, type] : element_names) {
        if (name == entry.type_name) entry.type = type;
    }
    std::uint64_t bytes = entry.type ? size_of(*entry.type) : 0;
    if (shape.size() > most_axes) throw FormatError("has more than 32 axes");
    for (const json& extent : shape) {
        const std::uint64_t n = unsigned_value(extent, "shape entry");
        std::uint64_t product = 0;
        if (n > INT64_MAX || __builtin_mul_overflow(bytes, n, &product)) throw FormatError("has an absurd shape");
        bytes = product;
        entry.extents.push_back(static_cast<std::int64_t>(n));
    }
    entry.begin = unsigned_value(offsets[0], "data offset");
    entry.end = unsigned_value(offsets[1], "data offset");
    if (entry.begin > entry.end) throw FormatError("ends before it begins");
    if (entry.type && entry.end - entry.begin != bytes) {
        throw FormatError("has " + std::to_string(entry.end - entry.begin) + " bytes of data, its shape needs " +
                          std::to_string(bytes));
    }
    return entry;
}

void require_cover(const std::map<std::string, SafetensorsEntry>& entries, std::uint64_t data_size) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
    for (const auto& [name, entry] : entries) spans.emplace_back(entry.begin, entry.end);
    std::sort(spans.begin(), spans.end());
    std::uint64_t covered = 0;
    for (const auto& [begin, end] : spans) {
        if (begin != covered)
            throw FormatError("has tensors that overlap or leave a gap at byte " + std::to_string(begin));
        covered = end;
    }
    if (covered != data_size) {
        throw FormatError("is truncated or has data of no tensor: the header speaks of " + std::to_string(covered) +
                          " bytes, there are " + std::to_string(data_size));
    }
}

}  // namespace

std::map<std::string, SafetensorsEntry> parse_safetensors_header(std::string_view text, std::uint64_t data_size) {
    const json header = parse_strictly(text);
    if (!header.is_object()) throw FormatError("has a header that is not a JSON object");
    std::map<std::string, SafetensorsEntry> entries;
    for (const auto& [name, value] : header.items()) {
        if (name == "__metadata__") continue;
        try {
            entries.emplace(name, parse_entry(value));
        } catch (const FormatError& error) {
            throw FormatError("tensor '" + golden::printable(name) + "' " + error.what());
        }
    }
    require_cover(entries, data_size);
    return entries;
}

}  // namespace dca::verify
