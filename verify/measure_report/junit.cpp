// One testcase per claim: a pass is green, a failure red, and what is open is skipped, never green. A ladder that broke
// is an error.
#include <ostream>

#include "verify/measure_report/tables.hpp"
#include "verify/measure_report/writers.hpp"
#include "verify/report/printable.hpp"

namespace dca::measure {
namespace {

using verify::markup_text;

struct TestCase {
    std::string name, element, message;  ///< element empty: passed
};

std::string first_failure(const Ladder& ladder) {
    for (const Point& point : ladder.points) {
        if (point.failure.empty() || point.failure.starts_with(left_out)) continue;
        return "n = " + std::to_string(point.n) + ": " + point.failure;
    }
    return {};
}

std::vector<TestCase> cases(const MeasureReport& report) {
    std::vector<TestCase> all;
    for (const ClaimReport& claim : report.claims) {
        const ClaimVerdict& verdict = claim.verdict;
        std::string element;
        if (weight(claim) == ClaimOutcome::fail) element = "failure";
        if (weight(claim) == ClaimOutcome::inconclusive) element = "skipped";
        const std::string expected = expectation_text(claim);
        all.push_back({verdict.candidate + ": " + verdict.claim, element,
                       std::string(name(verdict.outcome)) + (expected.empty() ? "" : ", " + expected) + ": " +
                           reason_text(verdict)});
    }
    for (const Ladder& ladder : report.ladders) {
        const std::string failure = first_failure(ladder);
        if (!failure.empty()) {
            all.push_back({heading(ladder), "error", failure});
        } else if (report.claims.empty()) {
            all.push_back({heading(ladder), "", ""});
        }
    }
    if (all.empty()) all.push_back({"run", "error", "nothing was measured"});
    return all;
}

}  // namespace

void write_junit(std::ostream& out, const MeasureReport& report) {
    const std::vector<TestCase> all = cases(report);
    std::size_t failures = 0, errors = 0, skipped = 0;
    for (const TestCase& one : all) {
        failures += one.element == "failure" ? 1 : 0;
        errors += one.element == "error" ? 1 : 0;
        skipped += one.element == "skipped" ? 1 : 0;
    }
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"dca measure\" tests=\""
        << all.size() << "\" failures=\"" << failures << "\" errors=\"" << errors << "\" skipped=\"" << skipped
        << "\">\n";
    for (const TestCase& one : all) {
        out << "    <testcase classname=\"dca.measure\" name=\"" << markup_text(one.name) << "\"";
        if (one.element.empty()) {
            out << "/>\n";
        } else {
            out << ">\n      <" << one.element << " message=\"" << markup_text(one.message)
                << "\"/>\n    </testcase>\n";
        }
    }
    out << "  </testsuite>\n</testsuites>\n";
}

}  // namespace dca::measure
