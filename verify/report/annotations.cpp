// Workflow commands of GitHub Actions: one line per case that did not pass, shown beside the job. Format:
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
#include <algorithm>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

/// GitHub shows ten errors, ten warnings and ten notices of a step, and drops the others without a word.
constexpr std::size_t most = 10;

/// The value of a command; that of a property also hides what separates properties.
std::string escaped(std::string_view text, bool property) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '%': result += "%25"; break;
            case '\r': result += "%0D"; break;
            case '\n': result += "%0A"; break;
            case ':': result += property ? "%3A" : ":"; break;
            case ',': result += property ? "%2C" : ","; break;
            default: result += c;
        }
    }
    return result;
}

void command(std::ostream& out, std::string_view level, const std::string& title, const std::string& message) {
    out << "::" << level << " title=" << escaped(title, true) << "::" << escaped(message, false) << '\n';
}

std::string_view level(Verdict verdict) {
    const int status = exit_status(verdict);
    return verdict == Verdict::waived ? "notice" : status == 3 ? "warning" : "error";
}

std::string message(const CaseReport& one) {
    std::string text = printable(in_one_clause(one));
    for (const Explanation& explanation : one.explanations) {
        text += "\n" + printable(explanation_text(explanation));
    }
    if (!one.waiver.empty()) text += "\nwaiver: " + printable(one.waiver);
    if (!one.repro.empty()) text += "\nrepeat with: " + printable(one.repro);
    return text;
}

}  // namespace

void write_annotations(std::ostream& out, const RunReport& report) {
    if (report.cases.empty()) {
        command(out, level(report.verdict), "dca: " + std::string(headline_word(report.verdict)),
                "nothing was compared");
        return;
    }
    std::vector<const CaseReport*> shown;
    for (const CaseReport& one : report.cases) {
        if (!is_pass(one.verdict) && one.verdict != Verdict::listed) shown.push_back(&one);
    }
    // The worst first: of what does not fit, the mildest is dropped.
    std::stable_sort(shown.begin(), shown.end(),
                     [](const CaseReport* a, const CaseReport* b) { return a->verdict > b->verdict; });
    for (std::size_t i = 0; i < std::min(most, shown.size()); ++i) {
        const CaseReport& one = *shown[i];
        command(out, level(one.verdict), printable(one.id) + " " + std::string(name(one.verdict)), message(one));
    }
    if (shown.size() > most) {
        const std::size_t more = shown.size() - most;
        command(out, "notice", "dca: " + std::to_string(more) + (more == 1 ? " more case" : " more cases"),
                printable(std::string(headline_word(report.verdict)) + ": " + headline_text(report)));
    } else if (shown.empty() && !is_pass(report.verdict)) {
        command(out, level(report.verdict), "dca: " + std::string(headline_word(report.verdict)),
                printable(headline_text(report)));
    }
}

}  // namespace dca::verify
