#include "golden/lint.hpp"

#include <algorithm>

#include "golden/file_root.hpp"

namespace dca::golden {

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
                static_cast<void>(read_case(file, id, Demand::complete_or_outputs_only, collect, Values::check));
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
