// The Markdown report: the verdict as heading, one table, a section per case that did not pass.
#include <algorithm>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/verify/report/reports.hpp"

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

}  // namespace
