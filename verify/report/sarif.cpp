// The report for code scanning: SARIF 2.1.0 (OASIS), one result per case that did not pass.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

using json = nlohmann::ordered_json;

/// The rule of a result: the mistake it was recognised as, else its verdict.
std::string rule_of(const CaseReport& one) {
    return one.explanations.empty() ? "dca/" + std::string(name(one.verdict)) : "dca/" + one.explanations.front().id;
}

json rule(const CaseReport& one) {
    const auto text = [](std::string_view words) { return json{{"text", printable(words)}}; };
    json result{{"id", rule_of(one)}};
    if (one.explanations.empty()) {
        result["shortDescription"] = text("A case whose verdict is " + std::string(name(one.verdict)));
        return result;
    }
    const Explanation& mistake = one.explanations.front();
    result["shortDescription"] = text(mistake.title);
    if (!mistake.hazard.empty()) {
        result["help"] = text("Hazard " + mistake.hazard + ": dca explain " + mistake.hazard);
    }
    return result;
}

std::string_view level(Verdict verdict) {
    return verdict == Verdict::waived ? "note" : exit_status(verdict) == 3 ? "warning" : "error";
}

/// A path as URI reference (RFC 3986): what is not unreserved is percent-encoded, byte by byte.
std::string uri(std::string_view path) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string result;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || std::string_view("-._~/").find(c) != std::string_view::npos) {
            result += c;
        } else {
            result += {'%', hex[byte >> 4U], hex[byte & 15U]};
        }
    }
    return path.starts_with('/') ? "file://" + result : result;
}

json result(const RunReport& report, const CaseReport& one, std::size_t rule_index) {
    std::string message = in_one_clause(one);
    for (const Explanation& explanation : one.explanations) message += ". " + explanation_text(explanation);
    if (!one.repro.empty()) message += ". Repeat with: " + one.repro;
    json entry{{"ruleId", rule_of(one)},
               {"ruleIndex", rule_index},
               {"level", level(one.verdict)},
               {"message", {{"text", printable(one.id + ": " + message)}}},
               {"locations",
                {{{"physicalLocation",
                   {{"artifactLocation", {{"uri", uri(report.candidate)}}}, {"region", {{"startLine", 1}}}}},
                  {"logicalLocations", {{{"fullyQualifiedName", printable(one.id)}, {"kind", "module"}}}}}}},
               {"partialFingerprints", {{"dcaCase/v1", printable(one.id) + ":" + rule_of(one)}}}};
    if (one.verdict == Verdict::waived) {
        entry["suppressions"] = {{{"kind", "external"}, {"justification", printable(one.waiver)}}};
    }
    return entry;
}

}  // namespace

void write_sarif(std::ostream& out, const RunReport& report) {
    json rules = json::array(), results = json::array(), notes = json::array();
    for (const CaseReport& one : report.cases) {
        if (is_pass(one.verdict) || one.verdict == Verdict::listed) continue;
        const auto same =
            std::find_if(rules.begin(), rules.end(), [&](const json& known) { return known["id"] == rule_of(one); });
        const auto index = static_cast<std::size_t>(same - rules.begin());
        if (same == rules.end()) rules.push_back(rule(one));
        results.push_back(result(report, one, index));
    }
    for (const std::string& note : report.notes) {
        notes.push_back({{"level", "note"}, {"message", {{"text", printable(note)}}}});
    }
    json driver{{"name", "dca"}, {"version", DCA_VERSION}, {"rules", std::move(rules)}};
    // A run that verified nothing is no successful run, whatever its results.
    json invocation{{"executionSuccessful", exit_status(report.verdict) < 2},
                    {"exitCode", exit_status(report.verdict)},
                    {"toolExecutionNotifications", std::move(notes)}};
    const json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         {{{"tool", {{"driver", std::move(driver)}}},
           {"columnKind", "unicodeCodePoints"},
           {"invocations", {std::move(invocation)}},
           {"results", std::move(results)},
           {"properties", {{"verdict", name(report.verdict)}, {"summary", printable(headline_text(report))}}}}}}};
    out << log.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::verify
