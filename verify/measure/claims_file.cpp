#include "verify/measure/claims_file.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <span>

#include "golden/text.hpp"
#include "reference/spec/dtype.hpp"
#include "reference/spec/problem.hpp"

namespace dca::measure {

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;
constexpr std::size_t most_sizes = 64;
/// A dotted key is on one line, and every part of it a level of recursion in the parser's tables.
constexpr std::size_t longest_line = 4096;

class Reader {
public:
    explicit Reader(const std::string& name) : name_(name) {}

    [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const {
        throw FormatError(golden::printable(name_) + ":" + std::to_string(at.begin.line) + ": " + what);
    }

    /// Refuses keys that are not among `known`.
    void only(const toml::table& table, const std::string& where, std::span<const std::string_view> known) const {
        for (const auto& [key, node] : table) {
            if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
                fail(node.source(), where + ": there is no key '" + golden::printable(key.str()) + "'" +
                                        golden::suggestion(key.str(), known));
            }
        }
    }

    const toml::node& need(const toml::table& table, const std::string& where, std::string_view key) const {
        const toml::node* node = table.get(key);
        if (node == nullptr) fail(table.source(), where + ": '" + std::string(key) + "' is missing");
        return *node;
    }

    std::string string(const toml::node& node, const std::string& where, std::string_view key) const {
        const auto value = node.value_exact<std::string>();
        if (!value || value->empty()) fail(node.source(), where + ": '" + std::string(key) + "' is not a text");
        return golden::printable(*value);
    }

    std::string text(const toml::table& table, const std::string& where, std::string_view key) const {
        return string(need(table, where, key), where, key);
    }

    std::string text_or(const toml::table& table, const std::string& where, std::string_view key,
                        const std::string& otherwise) const {
        const toml::node* node = table.get(key);
        return node == nullptr ? otherwise : string(*node, where, key);
    }

    std::int64_t integer(const toml::node& node, const std::string& where, std::string_view key, std::int64_t least,
                         std::int64_t most) const {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < least || *value > most) {
            fail(node.source(), where + ": '" + std::string(key) + "' is not a whole number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
        }
        return *value;
    }

    std::int64_t integer_or(const toml::table& table, const std::string& where, std::string_view key,
                            std::int64_t least, std::int64_t most, std::int64_t otherwise) const {
        const toml::node* node = table.get(key);
        return node == nullptr ? otherwise : integer(*node, where, key, least, most);
    }

    std::vector<std::int64_t> sizes(const toml::node& node, const std::string& where, std::string_view key) const {
        const toml::array* array = node.as_array();
        if (array == nullptr || array->empty() || array->size() > most_sizes) {
            fail(node.source(), where + ": '" + std::string(key) + "' is not a list of 1 to 64 sizes");
        }
        std::vector<std::int64_t> made;
        for (const toml::node& one : *array) {
            made.push_back(integer(one, where, key, 2, max_position));
            if (made.size() > 1 && made.back() <= made[made.size() - 2]) {
                fail(one.source(), where + ": '" + std::string(key) + "' does not ascend");
            }
        }
        return made;
    }

    LadderPlan ladder(const std::string& ladder_name, const toml::table& table) const {
        static constexpr std::array<std::string_view, 13> known = {
            "n",     "chunk_size", "local_size", "chunk_sizes", "chunk_n",  "batch",  "heads_q",
            "dtype", "pass",       "repeats",    "heads_kv",    "head_dim", "threads"};
        const std::string where = "ladder '" + golden::printable(ladder_name) + "'";
        only(table, where, known);
        LadderPlan plan;
        plan.name = ladder_name;
        plan.repeats = static_cast<int>(integer_or(table, where, "repeats", 1, 1000, 5));
        Setting& setting = plan.setting;
        setting.batch = integer_or(table, where, "batch", 1, 1024, 1);
        setting.heads_q = integer_or(table, where, "heads_q", 1, 1024, 1);
        setting.heads_kv = integer_or(table, where, "heads_kv", 1, 1024, setting.heads_q);
        setting.head_dim = setting.head_dim_v = integer_or(table, where, "head_dim", 1, 1024, 128);
        setting.threads = static_cast<int>(integer_or(table, where, "threads", 0, 1024, 0));
        if (setting.heads_q % setting.heads_kv != 0) {
            fail(table.source(), where + ": heads_q is not a multiple of heads_kv");
        }
        setting.dtype = text_or(table, where, "dtype", "f64");
        if (!parse_dtype(setting.dtype)) fail(table.source(), where + ": there is no dtype '" + setting.dtype + "'");
        const std::string pass = text_or(table, where, "pass", "forward");
        if (pass != "forward" && pass != "backward") fail(table.source(), where + ": pass is forward or backward");
        setting.pass = pass == "forward" ? Pass::forward : Pass::backward;
        add_sizes(plan, table, where);
        return plan;
    }

    FiledClaim claim(const toml::table& table, const std::vector<LadderPlan>& ladders) const {
        static constexpr std::array<std::string_view, 9> known = {"id",     "claim", "candidates", "ladder", "who",
                                                                  "source", "says",  "note",       "expect"};
        const std::string where = "claim '" + text(table, "claim", "id") + "'";
        only(table, where, known);
        FiledClaim made;
        made.id = text(table, "claim", "id");
        if (!golden::is_case_id(made.id))
            fail(table.source(), where + ": an id is made of letters, digits, '_', '.', '-'");
        const std::string words = text(table, where, "claim");
        try {
            made.claim = parse_claim(words);
        } catch (const InvalidProblem& error) {
            fail(need(table, where, "claim").source(), error.what());
        }
        const toml::array* candidates = need(table, where, "candidates").as_array();
        if (candidates == nullptr || candidates->empty()) {
            fail(need(table, where, "candidates").source(), where + ": 'candidates' is not a list of names");
        }
        for (const toml::node& one : *candidates) made.candidates.push_back(string(one, where, "candidates"));
        made.ladder = text(table, where, "ladder");
        std::vector<std::string_view> names;
        for (const LadderPlan& plan : ladders) names.push_back(plan.name);
        if (std::find(names.begin(), names.end(), made.ladder) == names.end()) {
            fail(need(table, where, "ladder").source(),
                 where + ": there is no [ladder." + made.ladder + "]" + golden::suggestion(made.ladder, names));
        }
        made.who = text(table, where, "who");
        made.source = text(table, where, "source");
        made.says = text(table, where, "says");
        made.note = text_or(table, where, "note", "");
        const std::string expect = text_or(table, where, "expect", "");
        for (const ClaimOutcome outcome : {ClaimOutcome::pass, ClaimOutcome::fail, ClaimOutcome::inconclusive}) {
            if (expect == measure::name(outcome)) made.expect = outcome;
        }
        if (!expect.empty() && !made.expect) {
            fail(need(table, where, "expect").source(), where + ": 'expect' is PASS, FAIL or INCONCLUSIVE");
        }
        return made;
    }

private:
    void add_sizes(LadderPlan& plan, const toml::table& table, const std::string& where) const {
        const std::vector<std::int64_t> lengths = sizes(need(table, where, "n"), where, "n");
        const std::int64_t chunk = integer(need(table, where, "chunk_size"), where, "chunk_size", 1, max_position);
        const toml::node* local = table.get("local_size");
        const auto add = [&](std::int64_t n, std::int64_t chunk_size) {
            const std::int64_t w =
                local == nullptr ? chunk_size / 8 : integer(*local, where, "local_size", 0, chunk_size - 1);
            plan.sizes.push_back({n, chunk_size, w});
        };
        for (const std::int64_t n : lengths) add(n, chunk);
        if (const toml::node* chunks = table.get("chunk_sizes")) {
            const std::int64_t at = integer_or(table, where, "chunk_n", 2, max_position, lengths.back());
            for (const std::int64_t c : sizes(*chunks, where, "chunk_sizes")) add(at, c);
        } else if (table.get("chunk_n") != nullptr) {
            fail(table.source(), where + ": 'chunk_n' without 'chunk_sizes'");
        }
        const auto key = [](const Size& size) { return std::pair(size.n, size.chunk_size); };
        std::sort(plan.sizes.begin(), plan.sizes.end(), [&](const Size& a, const Size& b) { return key(a) < key(b); });
        plan.sizes.erase(std::unique(plan.sizes.begin(), plan.sizes.end()), plan.sizes.end());
    }

    std::string name_;
};

ClaimsFile read_document(const toml::table& root, const Reader& reader) {
    static constexpr std::array<std::string_view, 4> known = {"schema", "schema_version", "ladder", "claim"};
    reader.only(root, "file", known);
    if (reader.text(root, "file", "schema") != "dca-claims") {
        reader.fail(reader.need(root, "file", "schema").source(), "schema is not \"dca-claims\"");
    }
    (void)reader.integer(reader.need(root, "file", "schema_version"), "file", "schema_version", 1, 1);
    ClaimsFile file;
    const toml::node& ladders = reader.need(root, "file", "ladder");
    if (!ladders.is_table()) reader.fail(ladders.source(), "'ladder' is not made of [ladder.NAME] tables");
    for (const auto& [key, node] : *ladders.as_table()) {
        if (!node.is_table())
            reader.fail(node.source(), "ladder '" + golden::printable(key.str()) + "' is not a table");
        file.ladders.push_back(reader.ladder(std::string(key.str()), *node.as_table()));
    }
    const toml::node& claims = reader.need(root, "file", "claim");
    if (!claims.is_array_of_tables()) reader.fail(claims.source(), "'claim' is not made of [[claim]] tables");
    std::set<std::string> ids;
    for (const toml::node& node : *claims.as_array()) {
        file.claims.push_back(reader.claim(*node.as_table(), file.ladders));
        if (!ids.insert(file.claims.back().id).second) {
            reader.fail(node.source(), "claim '" + file.claims.back().id + "' is there twice");
        }
    }
    return file;
}

}  // namespace

ClaimsFile parse_claims(std::string_view text, const std::string& name) {
    if (text.size() > most_bytes) throw FormatError(golden::printable(name) + ": more than 1 MiB of claims");
    for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        if (end - begin > longest_line) {
            throw FormatError(golden::printable(name) + ":" + std::to_string(line) + ": a line of more than " +
                              std::to_string(longest_line) + " characters");
        }
        begin = end + 1;
    }
    toml::table root;
    try {
        root = toml::parse(text, name);
    } catch (const toml::parse_error& error) {
        throw FormatError(golden::printable(name) + ":" + std::to_string(error.source().begin.line) + ": " +
                          golden::printable(error.description()));
    }
    return read_document(root, Reader(name));
}

ClaimsFile read_claims(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(most_bytes + 1, '\0');
    if (!file) throw IoError(golden::printable(path) + ": cannot be read");
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) throw IoError(golden::printable(path) + ": cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_claims(text, path);
}

}  // namespace dca::measure
