// The report for continuous integration: one testcase per case. Whatever was not verified is a failure, an error or
// skipped, never green.
#include <ostream>
#include <sstream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/summary.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

/// Element text of several lines.
std::string escaped(const std::string& text) {
    std::string result;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) result += markup_text(line) + "&#10;";
    return result;
}

/// The element that says why a case is not green, or nothing.
std::string_view outcome(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
        case Verdict::marginal: return "";
        case Verdict::listed:
        case Verdict::skipped:
        case Verdict::waived: return "skipped";
        case Verdict::mistrusted:
        case Verdict::failed: return "failure";
        case Verdict::errored:
        case Verdict::untested: return "error";
    }
    return "error";
}

std::string summary(const CaseReport& one) {
    if (one.verdict == Verdict::waived && !one.waiver.empty()) return "waived: " + one.waiver;
    return in_one_clause(one);
}

std::string details(const CaseReport& one) {
    std::ostringstream text;
    for (const TensorReport& tensor : one.tensors) {
        text << tensor.tensor << ' ' << name(tensor.verdict) << ' ' << ratios(tensor) << ' ' << tensor.reason << '\n';
    }
    for (const std::string& line : where_lines(one, 2)) text << line << '\n';
    for (const Explanation& explanation : one.explanations) text << explanation_text(explanation) << '\n';
    for (const std::string& line : fingerprint_warnings(one)) text << line << '\n';
    if (!one.waiver.empty()) text << "waiver: " << one.waiver << '\n';
    if (!one.coverage.empty()) text << "judged: " << one.coverage << '\n';
    text << "repeat with: " << one.repro << '\n';
    return text.str();
}

}  // namespace

void write_junit(std::ostream& out, const RunReport& original) {
    const RunReport report = printable(original);
    std::size_t failures = 0, errors = 0, skipped = 0;
    for (const CaseReport& one : report.cases) {
        failures += outcome(one.verdict) == "failure" ? 1 : 0;
        errors += outcome(one.verdict) == "error" ? 1 : 0;
        skipped += outcome(one.verdict) == "skipped" ? 1 : 0;
    }
    // A run that is no pass although no case says so: nothing was compared, or not all that was asked for.
    const bool silent = !is_pass(report.verdict) && failures + errors + skipped == 0;
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"dca\" tests=\""
        << report.cases.size() + (silent ? 1 : 0) << "\" failures=\"" << failures << "\" errors=\""
        << errors + (silent ? 1 : 0) << "\" skipped=\"" << skipped << "\">\n";
    for (const CaseReport& one : report.cases) {
        out << "    <testcase classname=\"dca\" name=\"" << markup_text(one.id) << "\"";
        if (one.seconds > 0) out << " time=\"" << short_number(one.seconds) << "\"";
        const std::string_view element = outcome(one.verdict);
        if (element.empty()) {
            if (one.coverage.empty()) {
                out << "/>\n";
            } else {
                out << ">\n      <system-out>" << markup_text("judged: " + one.coverage)
                    << "</system-out>\n    </testcase>\n";
            }
            continue;
        }
        out << ">\n      <" << element << " message=\"" << markup_text(summary(one)) << "\"";
        if (element != "skipped") out << " type=\"" << name(one.verdict) << "\"";
        out << ">" << escaped(details(one)) << "</" << element << ">\n    </testcase>\n";
    }
    if (silent) {
        out << "    <testcase classname=\"dca\" name=\"run\">\n      <error message=\""
            << markup_text(report.cases.empty() ? "nothing was compared" : "not all that was asked for was compared")
            << "\" type=\"" << name(report.verdict) << "\"/>\n    </testcase>\n";
    }
    out << "  </testsuite>\n</testsuites>\n";
}

}  // namespace dca::verify
