#include "verify/candidate/npy_header.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "golden/text.hpp"
#include "reference/spec/problem.hpp"

namespace dca::verify {
namespace {

constexpr std::array<std::pair<std::string_view, ElementType>, 5> element_names{{
    {"f8", ElementType::f64},
    {"f4", ElementType::f32},
    {"f2", ElementType::f16},
    {"i8", ElementType::i64},
    {"i4", ElementType::i32},
}};

constexpr std::size_t most_axes = 32;  // NumPy's own limit

/// Reads the few Python literals of the dictionary from left to right.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    bool accept(std::string_view token) {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
        if (!text_.starts_with(token)) return false;
        text_.remove_prefix(token.size());
        return true;
    }

    void require(std::string_view token) {
        if (!accept(token)) throw FormatError("the array header lacks '" + std::string(token) + "'");
    }

    std::string_view string() {
        const bool single = accept("'");
        if (!single) require("\"");
        const std::size_t end = text_.find(single ? '\'' : '"');
        if (end == std::string_view::npos) throw FormatError("the array header has a string without an end");
        const std::string_view value = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return value;
    }

    bool boolean() {
        if (accept("True")) return true;
        require("False");
        return false;
    }

    std::vector<std::int64_t> extents() {
        std::vector<std::int64_t> values;
        require("(");
        while (!accept(")")) {
            accept("");  // skips blanks
            std::int64_t value = 0;
            const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
            if (error != std::errc() || value < 0) throw FormatError("the array header has a bad shape");
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
            values.push_back(value);
            if (values.size() > most_axes) throw FormatError("has more than 32 axes");
            if (accept(",")) continue;
            require(")");
            break;
        }
        return values;
    }

    [[nodiscard]] bool at_end() { return accept("") && text_.empty(); }

private:
    std::string_view text_;
};

void require_sensible_size(const std::vector<std::int64_t>& extents) {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) {
        if (extent > 0 && count > max_elements / extent) throw FormatError("claims more than 2^40 elements");
        count *= extent;
    }
}

void set_type(NpyHeader& header, std::string_view descr) {
    const bool ordered = !descr.empty() && (descr.front() == '<' || descr.front() == '>');
    for (const auto& [name, type] : element_names) {
        if (!ordered || descr.substr(1) != name) continue;
        header.type = type;
        header.big_endian = descr.front() == '>';
        return;
    }
    throw FormatError("has element type '" + golden::printable(descr) +
                      "', expected float64, float32 or float16 (store bfloat16 and 8-bit floats as float32)");
}

}  // namespace

NpyPrelude parse_npy_prelude(std::string_view bytes) {
    if (!bytes.starts_with("\x93NUMPY")) throw FormatError("is not a .npy array");
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])); };
    const std::size_t major = byte(6);
    if (major < 1 || major > 3) throw FormatError("is a .npy array of unknown version " + std::to_string(major));
    return {major == 1 ? std::size_t{0} : std::size_t{2}, byte(8) | byte(9) << 8};
}

NpyHeader parse_npy_dictionary(std::string_view text) {
    Cursor cursor(text);
    NpyHeader header{};
    std::optional<std::string_view> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> extents;

    cursor.require("{");
    while (!cursor.accept("}")) {
        const std::string_view key = cursor.string();
        cursor.require(":");
        if (key == "descr" && !descr) {
            descr = cursor.string();
        } else if (key == "fortran_order" && !fortran_order) {
            fortran_order = cursor.boolean();
        } else if (key == "shape" && !extents) {
            extents = cursor.extents();
        } else {
            throw FormatError("the array header has an unknown or repeated entry '" + golden::printable(key) + "'");
        }
        if (!cursor.accept(",")) {
            cursor.require("}");
            break;
        }
    }
    if (!cursor.at_end() || !descr || !fortran_order || !extents) throw FormatError("the array header is incomplete");
    set_type(header, *descr);
    if (*fortran_order && extents->size() > 1) {
        throw FormatError("is in Fortran order; save numpy.ascontiguousarray(...) instead");
    }
    require_sensible_size(*extents);
    header.extents = std::move(*extents);
    return header;
}

}  // namespace dca::verify
