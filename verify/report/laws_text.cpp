#include <algorithm>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/laws.hpp"

namespace dca::verify {
namespace {

std::string_view word(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed: return "holds";
        case Verdict::failed: return "BROKEN";
        case Verdict::skipped: return "not checked";
        case Verdict::listed:
        case Verdict::marginal:
        case Verdict::mistrusted:
        case Verdict::waived:
        case Verdict::errored:
        case Verdict::untested: break;
    }
    return name(verdict);
}

std::string headline(const LawsReport& report) {
    std::size_t broken = 0, errored = 0, unchecked = 0;
    for (const LawsCase& one : report.cases) {
        broken += one.verdict == Verdict::failed;
        errored += one.verdict == Verdict::errored;
        unchecked += one.verdict == Verdict::skipped;
    }
    std::string text(headline_word(report.verdict));
    text += ": " + std::to_string(report.cases.size()) + (report.cases.size() == 1 ? " case" : " cases");
    if (broken > 0) text += ", laws broken in " + std::to_string(broken);
    if (errored > 0) text += ", " + std::to_string(errored) + " unreadable";
    if (unchecked > 0) text += ", nothing to check in " + std::to_string(unchecked);
    if (is_pass(report.verdict)) text += ", every law that could be checked holds";
    return text;
}

void write_case(std::ostream& out, const LawsCase& one) {
    out << '\n' << "case " << one.id;
    if (!one.dtype.empty()) out << " (" << one.dtype << ", " << one.dialect << ")";
    if (!one.reason.empty()) out << ": " << one.reason;
    out << '\n';
    std::vector<std::vector<std::string>> table{{"law", "", "worst", "rms", "residuals", "worst at"}};
    for (const LawResult& law : one.laws) {
        if (law.verdict == Verdict::skipped) continue;
        table.push_back({std::string(name(law.law)), std::string(word(law.verdict)), short_number(law.worst),
                         short_number(law.rms), std::to_string(law.residuals), law.worst > 0 ? law.where : "-"});
    }
    if (table.size() > 1) {
        for (const std::string& line : align(table, 2)) out << "  " << line << '\n';
    }
    for (const LawResult& law : one.laws) {
        if (law.verdict != Verdict::failed) continue;
        out << "  " << name(law.law) << ": " << statement(law.law) << "; off by " << short_number(law.residual)
            << " where rounding explains " << short_number(law.expected) << '\n';
    }
    for (const LawResult& law : one.laws) {
        if (law.verdict == Verdict::skipped) {
            out << "  not checked: " << name(law.law) << ", " << law.reason << '\n';
        }
    }
}

}  // namespace

void write_text(std::ostream& out, const LawsReport& report) {
    out << headline(report) << '\n';
    for (const std::string& note : report.notes) out << "note: " << note << '\n';
    for (const LawsCase& one : report.cases) write_case(out, one);
    std::vector<std::string> unseen;  // of any case
    for (const LawsCase& one : report.cases) {
        for (const std::string& text : one.cannot_see) {
            if (std::find(unseen.begin(), unseen.end(), text) == unseen.end()) unseen.push_back(text);
        }
    }
    if (report.cases.empty()) return;
    out << "\nworst, rms: residuals in standard deviations of an honest kernel's rounding; a law holds up to "
        << short_number(law_line) << ".\nThese laws cannot see:\n";
    for (const std::string& text : unseen) out << "  - " << text << '\n';
    out << "`dca compare` with a golden file does.\n";
}

}  // namespace dca::verify
