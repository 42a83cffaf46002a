// The Markdown report: the verdict as heading, one table, a section per case that did not pass.
#include <algorithm>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("markdown: heading, table and failing cases") {
    const std::string text =
        written(dca::verify::write_markdown, run_of({passing_case("good"), failing_case("wrong")}));
    INFO(text);
    CHECK(text.rfind("## FAILED: 1 of 2 cases failed, 1 passed", 0) == 0);
    CHECK(has(text, "| good | passed | f32 | 1.25 \\| 0.73 | 1.25 |"));
    CHECK(has(text, "### wrong: failed"));
    CHECK_FALSE(has(text, "### good"));
    CHECK(has(text, "a detached merge (H34)"));
    CHECK(has(text, "\n    dca compare g.h5 c.h5 --case wrong\n"));
}

TEST_CASE("markdown: every table row has the cells of its header, and markup in names is inert") {
    const std::string text = written(dca::verify::write_markdown, everything());
    std::istringstream lines(text);
    long cells = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() != '|') {
            cells = 0;
            continue;
        }
        long bars = 0;
        for (std::size_t i = 0; i < line.size(); ++i) bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
        CAPTURE(line);
        if (cells == 0) cells = bars;
        CHECK(bars == cells);
    }
    CHECK(has(text, "\\<markup\\> \\& \"quotes\""));
    CHECK_FALSE(has(text, "<&>"));
}

TEST_CASE("markdown: places, warnings and waivers, and after ten cases in full the others are a list") {
    const std::string suite = written(dca::verify::write_markdown, suite_run());
    for (const char* part :
         {"- where dq is wrong: 97 % of the error energy", "- warning: dq: noise of 5.2 sigma",
          "- waiver: issue 123, until 2027-03-01", "6 of 6 failing cases look like detached-merge"}) {
        CAPTURE(part);
        CHECK(has(suite, part));
    }
    std::vector<dca::verify::CaseReport> cases;
    for (int i = 0; i < 200; ++i) cases.push_back(rich_case("case" + std::to_string(i)));
    const std::string text = written(dca::verify::write_markdown, run_of(cases));
    CHECK(has(text, "### case9: failed"));
    CHECK_FALSE(has(text, "### case10: failed"));
    CHECK(has(text, "\n- case199: dq: 512 of 1056 elements"));
    CHECK(text.size() < 100000);  // a job summary holds 1 MiB
}

}  // namespace
