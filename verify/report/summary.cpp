#include "verify/report/summary.hpp"

#include <algorithm>

#include "verify/report/format.hpp"

namespace dca::verify {

Mistakes mistakes(const RunReport& report) {
    Mistakes result;
    for (const CaseReport& one : report.cases) {
        result.failing += one.verdict == Verdict::failed ? 1 : 0;
        if (!one.explanations.empty()) ++result.counts[name_of(one.explanations.front())];
    }
    return result;
}

std::vector<std::string> Mistakes::lines() const {
    std::vector<std::string> text;
    if (failing < 2) return text;
    for (const auto& [mistake, count] : counts) {
        text.push_back(std::to_string(count) + " of " + std::to_string(failing) + " failing cases look like " +
                       mistake);
    }
    return text;
}

std::set<std::string> remarks_of_passes(const RunReport& report) {
    std::set<std::string> remarks;
    for (const CaseReport& one : report.cases) {
        if (!is_pass(one.verdict)) continue;
        for (const TensorReport& tensor : one.tensors) {
            if (!tensor.remark.empty()) remarks.insert(tensor.remark);
        }
    }
    return remarks;
}

std::vector<std::string> not_judged(const RunReport& report) {
    std::vector<std::string> lines;
    for (const std::string& tensor : tensor_columns(report)) {
        std::size_t cases = 0;
        for (const CaseReport& one : report.cases) {
            cases +=
                static_cast<std::size_t>(std::count(one.not_in_candidate.begin(), one.not_in_candidate.end(), tensor));
        }
        if (cases > 0) {
            lines.push_back("not judged: " + tensor + " of " + std::to_string(cases) +
                            (cases == 1 ? " case" : " cases") + ", which the candidate does not have");
        }
    }
    return lines;
}

}  // namespace dca::verify
