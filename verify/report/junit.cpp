// The report for continuous integration: one testcase per case. Whatever was not verified is a failure, an error or
// skipped, never green.
#include <ostream>
#include <sstream>

#include "verify/report/format.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

/// Attribute or element text. XML 1.0 has no way to write most control characters, and bytes that are no ASCII may not
/// be UTF-8: both become '?'.
std::string escaped(std::string_view text) {
    std::string result;
    for (char c : text) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&apos;"; break;
            case '\n': result += "&#10;"; break;
            default: result += c >= 0x20 && c < 0x7f ? c : '?';
        }
    }
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
    const TensorReport* worst = worst_failure(one);
    return worst ? worst->tensor + ": " + worst->reason : one.reason;
}

std::string details(const CaseReport& one) {
    std::ostringstream text;
    for (const TensorReport& tensor : one.tensors) {
        text << tensor.tensor << ' ' << name(tensor.verdict) << ' ' << ratios(tensor) << ' ' << tensor.reason << '\n';
    }
    for (const Explanation& explanation : one.explanations) text << explanation_text(explanation) << '\n';
    if (!one.coverage.empty()) text << "judged: " << one.coverage << '\n';
    text << "repeat with: " << one.repro << '\n';
    return text.str();
}

}  // namespace

void write_junit(std::ostream& out, const RunReport& report) {
    std::size_t failures = 0, errors = 0, skipped = 0;
    for (const CaseReport& one : report.cases) {
        failures += outcome(one.verdict) == "failure" ? 1 : 0;
        errors += outcome(one.verdict) == "error" ? 1 : 0;
        skipped += outcome(one.verdict) == "skipped" ? 1 : 0;
    }
    // A run in which nothing was compared has no case to carry its verdict.
    const bool empty = report.cases.empty();
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"dca compare\" tests=\""
        << (empty ? 1 : report.cases.size()) << "\" failures=\"" << failures << "\" errors=\""
        << errors + (empty ? 1 : 0) << "\" skipped=\"" << skipped << "\">\n";
    for (const CaseReport& one : report.cases) {
        out << "    <testcase classname=\"dca\" name=\"" << escaped(one.id) << "\"";
        const std::string_view element = outcome(one.verdict);
        if (element.empty()) {
            if (one.coverage.empty()) {
                out << "/>\n";
            } else {
                out << ">\n      <system-out>" << escaped("judged: " + one.coverage)
                    << "</system-out>\n    </testcase>\n";
            }
            continue;
        }
        out << ">\n      <" << element << " message=\"" << escaped(summary(one)) << "\"";
        if (element != "skipped") out << " type=\"" << name(one.verdict) << "\"";
        out << ">" << escaped(details(one)) << "</" << element << ">\n    </testcase>\n";
    }
    if (empty) {
        out << "    <testcase classname=\"dca\" name=\"run\">\n      <error message=\"nothing was compared\" type=\""
            << name(report.verdict) << "\"/>\n    </testcase>\n";
    }
    out << "  </testsuite>\n</testsuites>\n";
}

}  // namespace dca::verify
