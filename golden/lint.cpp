#include "golden/lint.hpp"

#include <algorithm>

#include "golden/case_text.hpp"
#include "golden/file_root.hpp"
#include "golden/kills.hpp"
#include "golden/schema.hpp"

namespace dca::golden {

namespace {

/// Throws FormatError where a golden case says that it catches no mistake, or does not say what it catches although it
/// is one of a suite.
void check_kills(const CaseData& data) {
    const auto stated = data.provenance.find("kills");
    if (stated != data.provenance.end()) {
        const auto* text = std::get_if<std::string>(&stated->second);
        if (text == nullptr)
            throw FormatError("attribute kills: is " + std::string(kind_text(stated->second)) + ", expected a string");
        try {
            static_cast<void>(parse_kills(*text));
        } catch (const FormatError& fault) {
            throw FormatError(std::string("attribute kills: ") + fault.what());
        }
        return;
    }
    const auto text = data.provenance.find("case_text");
    if (!data.judge || text == data.provenance.end() || !std::holds_alternative<std::string>(text->second)) return;
    bool known = false;
    try {
        const CaseSpec spec = parse_case(std::get<std::string>(text->second));
        known = spec.id == data.id && first_difference(spec.problem, data.problem).empty() && known_kills(spec);
    } catch (const InvalidProblem&) {
        return;  // not a text of this version: not a case of its suites
    }
    if (known)
        throw FormatError("attribute kills: is missing, although the case is one of a suite; make the file again");
}

}  // namespace

bool LintReport::ok() const {
    const bool faulty = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.level == Finding::Level::error; });
    return cases > 0 && !faulty;
}

LintReport lint(const std::filesystem::path& path) {
    LintReport result;
    const Report collect = [&](const Finding& finding) { result.findings.push_back(finding); };
    const auto error = [&](const std::string& where, const std::string& message) {
        result.findings.push_back({Finding::Level::error, where, message});
    };
    try {
        const h5::File file(path);
        const std::vector<std::string> ids = read_root(file.root(), collect);
        result.cases = ids.size();
        if (ids.empty()) error("", "there are no cases in the file");
        for (const std::string& id : ids) {
            try {
                const CaseData data = read_case(file, id, Demand::complete_or_outputs_only, collect, Values::check);
                check_kills(data);
            } catch (const FormatError& fault) {
                error("case " + id, fault.what());
            }
        }
    } catch (const FormatError& fault) {
        error("", fault.what());
    }
    return result;
}

}  // namespace dca::golden
