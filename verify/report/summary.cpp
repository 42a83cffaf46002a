#include "verify/report/summary.hpp"

#include <algorithm>
#include <cmath>

#include "verify/report/format.hpp"

namespace dca::verify {

Mistakes mistakes(const RunReport& report) {
    Mistakes result;
    for (const CaseReport& one : report.cases) {
        if (one.verdict != Verdict::failed && one.verdict != Verdict::waived) continue;
        ++result.failing;
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

namespace {

/// Error radius in sigmas of the worst element; 0 where nothing was compared, where the golden does not say, and where
/// it cannot be better: sigma allows for the rounding of a correctly rounded value.
double radius_in_sigma(const TensorReport& tensor) {
    if (!tensor.golden_accuracy || tensor.worst.index.empty() || !(tensor.worst.sigma > 0)) return 0;
    const GoldenAccuracy& golden = *tensor.golden_accuracy;
    return golden.correctly_rounded || std::isinf(golden.error_radius) ? 0 : golden.error_radius / tensor.worst.sigma;
}

/// From here on the golden has a part in the ratio's third digit, which is what reports print.
constexpr double noticeable = 0.01;

std::string accuracy_text(const TensorReport& tensor) {
    const GoldenAccuracy& golden = *tensor.golden_accuracy;
    return std::string(golden.proven ? "proven" : "measured") + " to " + short_number(golden.error_radius) + ", " +
           short_number(radius_in_sigma(tensor)) + " sigma";
}

}  // namespace

std::string golden_clause(const TensorReport& tensor) {
    // An error far above the radius is the candidate's, however exact the golden is.
    const bool matters = !(radius_in_sigma(tensor) < noticeable * tensor.worst.ratio);
    if (!(radius_in_sigma(tensor) > noticeable) || !matters) return {};
    return "the expected value itself is " + accuracy_text(tensor) + "; --certified goldens are correctly rounded";
}

std::string golden_line(const RunReport& report) {
    const CaseReport* worst_case = nullptr;
    const TensorReport* worst = nullptr;
    std::size_t tensors = 0;
    for (const CaseReport& one : report.cases) {
        for (const TensorReport& tensor : one.tensors) {
            if (golden_clause(tensor).empty()) continue;
            ++tensors;
            if (worst != nullptr && !(radius_in_sigma(tensor) > radius_in_sigma(*worst))) continue;
            worst = &tensor;
            worst_case = &one;
        }
    }
    if (worst == nullptr) return {};
    return "expected values of " + std::to_string(tensors) + (tensors == 1 ? " tensor" : " tensors") +
           " are known no better than 0.01 sigma, the least in " + worst_case->id + " " + worst->tensor + ": " +
           accuracy_text(*worst) + "; a golden made with --certified is correctly rounded";
}

std::vector<std::string> fingerprint_warnings(const CaseReport& report) {
    std::vector<std::string> lines;
    for (const Fingerprint& one : report.fingerprints) {
        if (!one.worse_than_declared) continue;
        lines.push_back("warning: " + one.tensor + ": " +
                        (one.text.empty() ? "noise " + short_number(one.rms_ratio) + " sigma, declared types explain " +
                                                short_number(one.declared_ratio) + ", " + one.best + " explains " +
                                                short_number(one.best_ratio)
                                          : one.text));
    }
    return lines;
}

std::vector<std::string> where_lines(const CaseReport& report, std::size_t most) {
    // Tensors of which the same is to be said share a line.
    std::vector<std::pair<std::string, std::vector<std::string>>> said;
    for (const Localisation& one : report.localisations) {
        std::string text;
        for (std::size_t i = 0; i < std::min(most, one.findings.size()); ++i) {
            text += (text.empty() ? "" : "; ") + one.findings[i];
        }
        if (text.empty()) continue;
        auto same = std::find_if(said.begin(), said.end(), [&](const auto& line) { return line.first == text; });
        if (same == said.end()) same = said.insert(said.end(), {text, {}});
        same->second.push_back(one.tensor);
    }
    std::vector<std::string> lines;
    for (const auto& [text, tensors] : said) {
        std::string names;
        for (const std::string& tensor : tensors) names += (names.empty() ? "" : ", ") + tensor;
        lines.push_back("where " + names + (tensors.size() == 1 ? " is" : " are") + " wrong: " + text);
    }
    return lines;
}

}  // namespace dca::verify
