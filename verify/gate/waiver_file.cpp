// The file of waivers: JSON, and nothing in it may be misspelt.
#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "golden/text.hpp"
#include "reference/spec/dtype.hpp"
#include "reference/spec/error.hpp"
#include "verify/gate/waivers.hpp"

namespace dca::verify {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 8> fields{"issue",  "reason",    "case",  "expires",
                                                 "tensor", "candidate", "dtype", "verdict"};
constexpr std::array<std::string_view, 5> tensor_names{"out", "lse", "dq", "dk", "dv"};

/// One entry of the list; `where` names file and entry.
class EntryReader {
public:
    EntryReader(const Json& entry, std::string where) : entry_(entry), where_(std::move(where)) {
        if (!entry_.is_object()) throw FormatError(where_ + ": is not an object");
        for (const auto& [name, value] : entry_.items()) {
            if (std::find(fields.begin(), fields.end(), name) != fields.end()) continue;
            throw FormatError(where_ + ": unknown field '" + golden::printable(name) + "'" +
                              golden::suggestion(name, fields));
        }
    }

    [[nodiscard]] Waiver read() const {
        Waiver waiver;
        waiver.issue = required("issue");
        where_ += " (" + golden::printable(waiver.issue) + ")";
        waiver.reason = required("reason");
        waiver.cases = required("case");
        if (entry_.contains("candidate")) waiver.candidates = required("candidate");
        waiver.tensors = list("tensor");
        for (const std::string& tensor : waiver.tensors) {
            if (std::find(tensor_names.begin(), tensor_names.end(), tensor) == tensor_names.end())
                fail("tensor", "'" + golden::printable(tensor) + "' is none of out, lse, dq, dk, dv");
        }
        waiver.dtypes = list("dtype");
        for (const std::string& dtype : waiver.dtypes) {
            if (!parse_dtype(dtype)) fail("dtype", "'" + golden::printable(dtype) + "' is not a dtype");
        }
        const std::string day = required("expires");
        const auto date = parse_date(day);
        if (!date) fail("expires", "'" + golden::printable(day) + "' is not a day like 2027-01-31");
        waiver.expires = *date;
        if (entry_.contains("verdict")) {
            const std::string verdict = required("verdict");
            if (verdict != "failed" && verdict != "errored") fail("verdict", "is neither failed nor errored");
            waiver.errored = verdict == "errored";
            if (waiver.errored && !waiver.tensors.empty())
                fail("tensor", "makes no sense where the verdict is errored: there is no tensor then");
        }
        return waiver;
    }

private:
    [[noreturn]] void fail(const std::string& field, const std::string& what) const {
        throw FormatError(where_ + ": " + field + ": " + what);
    }

    [[nodiscard]] std::string text(const std::string& field, const Json& value) const {
        if (!value.is_string()) fail(field, "is not a string");
        const auto& string = value.get_ref<const std::string&>();
        if (string.empty()) fail(field, "is empty");
        const bool plain =
            std::all_of(string.begin(), string.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
        if (!plain) fail(field, "holds control characters");
        return string;
    }

    [[nodiscard]] std::string required(const std::string& field) const {
        if (!entry_.contains(field)) fail(field, "is missing");
        return text(field, entry_.at(field));
    }

    /// One string or a list of them.
    [[nodiscard]] std::vector<std::string> list(const std::string& field) const {
        std::vector<std::string> values;
        if (!entry_.contains(field)) return values;
        const Json& value = entry_.at(field);
        if (!value.is_array()) return {text(field, value)};
        if (value.empty()) fail(field, "is an empty list");
        for (const Json& one : value) values.push_back(text(field, one));
        return values;
    }

    const Json& entry_;
    mutable std::string where_;
};

}  // namespace

std::vector<Waiver> read_waivers(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw IoError(path.string() + ": cannot be opened for reading");
    Json root;
    try {
        root = Json::parse(file);
    } catch (const std::ios_base::failure&) {
        throw IoError(path.string() + ": cannot be read");
    } catch (const Json::parse_error& error) {
        throw FormatError(path.string() + ": is not JSON, at byte " + std::to_string(error.byte));
    }
    if (!root.is_object() || !root.contains("waivers") || !root["waivers"].is_array() || root.size() != 1) {
        throw FormatError(path.string() + ": is not an object with the one field \"waivers\", a list");
    }
    std::vector<Waiver> waivers;
    for (const Json& entry : root["waivers"]) {
        const std::string where = path.string() + ": waiver " + std::to_string(waivers.size() + 1);
        waivers.push_back(EntryReader(entry, where).read());
    }
    return waivers;
}

}  // namespace dca::verify
