// The JUnit report is well-formed XML, and nothing that was not verified is green.
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/verify/report/markup.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;

/// The names of the elements in order of opening.
std::vector<std::string> elements_of(const std::string& xml) {
    std::vector<std::string> names;
    for (const MarkupElement& one : dca::test::elements_of(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")) {
        names.push_back(one.name);
    }
    return names;
}

TEST_CASE("junit: one testcase per case, with the outcome of each") {
    const std::string xml = written(dca::verify::write_junit, everything());
    INFO(xml);
    CHECK(elements_of(xml) == std::vector<std::string>{"testsuites", "testsuite", "testcase", "testcase", "failure",
                                                       "testcase", "failure", "testcase", "skipped", "testcase",
                                                       "error"});
    CHECK(xml.find("tests=\"5\" failures=\"2\" errors=\"1\" skipped=\"1\"") != std::string::npos);
    CHECK(xml.find("type=\"mistrusted\"") != std::string::npos);
    CHECK(xml.find("c&lt;&amp;&gt;&quot;&apos;|*??.h5: case broken: bad") != std::string::npos);
    CHECK(xml.find("looks like a detached merge") != std::string::npos);
}

TEST_CASE("junit: only passes are green, and a run without cases is an error") {
    auto one = passing_case("x");
    for (auto verdict : {dca::verify::Verdict::passed, dca::verify::Verdict::marginal}) {
        one.verdict = verdict;
        CHECK(elements_of(written(dca::verify::write_junit, run_of({one}))).size() == 3);
    }
    using enum dca::verify::Verdict;
    for (auto verdict : {listed, skipped, mistrusted, failed, errored, untested}) {
        one.verdict = verdict;
        CHECK(elements_of(written(dca::verify::write_junit, run_of({one}))).size() == 4);
    }
    const std::string empty = written(dca::verify::write_junit, run_of({}));
    CHECK(elements_of(empty).back() == "error");
    CHECK(empty.find("tests=\"1\" failures=\"0\" errors=\"1\"") != std::string::npos);
}

TEST_CASE("junit: a run that is no pass although every case is, is not all green") {
    dca::verify::RunReport report = run_of({passing_case("x")});
    report.verdict = dca::verify::Verdict::skipped;
    const std::string xml = written(dca::verify::write_junit, report);
    CHECK(elements_of(xml).back() == "error");
    CHECK(xml.find("not all that was asked for was compared") != std::string::npos);
    CHECK(xml.find("tests=\"2\" failures=\"0\" errors=\"1\"") != std::string::npos);
}

TEST_CASE("junit: places, warnings, waivers, times, and hostile texts") {
    const std::string xml = written(dca::verify::write_junit, suite_run());
    elements_of(xml);
    for (const char* part : {"time=\"0.125\"", "where dq is wrong: 97 % of the error energy",
                             "warning: dq: noise of 5.2", "<skipped message=\"waived: issue 123, until 2027-03-01"}) {
        CAPTURE(part);
        CHECK(xml.find(part) != std::string::npos);
    }
    const std::string hard = written(dca::verify::write_junit, hostile_run());
    elements_of(hard);
    CHECK(hard.find("\xc3\xbc \xe4\xb8\xad") != std::string::npos);  // UTF-8 stays
}

}  // namespace
