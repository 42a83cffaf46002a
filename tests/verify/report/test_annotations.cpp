// GitHub annotations: one command per line, nothing from a file can end or begin one.
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;

std::vector<std::string> lines_of(const dca::verify::RunReport& report) {
    std::istringstream text(written(dca::verify::write_annotations, report));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

TEST_CASE("annotations: one line per case that did not pass, the worst verdict first") {
    const std::vector<std::string> lines = lines_of(everything());
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].rfind("::error title=broken errored::c<&>", 0) == 0);
    CHECK(
        lines[1] ==
        "::error title=wrong failed::dq: 512 of 1056 elements are off by more than 6 sigma; worst element inf sigma at "
        "batch 0, row 12, head 1, channel 3 (region +inter)%0Alooks like a detached merge (H34); dq agrees with that "
        "within 0.4 sigma; seen in somebody's pull request%0Arepeat with: dca compare g.h5 c.h5 --case wrong");
    CHECK(lines[2] ==
          "::warning title=weak mistrusted::out: an output of zeros would pass in region +inter%0Arepeat "
          "with: dca compare g.h5 c.h5 --case weak");
    CHECK(lines[3] == "::warning title=absent skipped::the candidate has no tensor of this case");
    CHECK(lines_of(run_of({passing_case("good")})).empty());
}

TEST_CASE("annotations: ten and a closing line") {
    std::vector<dca::verify::CaseReport> cases;
    for (int i = 0; i < 10; ++i) cases.push_back(failing_case("case_" + std::to_string(i)));
    CHECK(lines_of(run_of(cases)).size() == 10);
    cases.push_back(failing_case("eleventh"));
    cases.push_back(failing_case("twelfth"));
    cases[11].verdict = dca::verify::Verdict::errored;
    const std::vector<std::string> lines = lines_of(run_of(cases));
    REQUIRE(lines.size() == 11);
    CHECK(lines[0].rfind("::error title=twelfth errored::", 0) == 0);
    CHECK(lines[10].rfind("::notice title=dca%3A 2 more cases::ERROR: 1 of 12 cases errored, 11 failed", 0) == 0);
}

TEST_CASE("annotations: a run that is no pass is never silent") {
    CHECK(lines_of(run_of({})) ==
          std::vector<std::string>{"::warning title=dca%3A NOT VERIFIED::nothing was compared"});
    dca::verify::RunReport report = run_of({passing_case("x")});
    report.verdict = dca::verify::Verdict::skipped;
    REQUIRE(lines_of(report).size() == 1);
    CHECK(lines_of(report)[0].rfind("::warning title=dca%3A NOT VERIFIED::1 of 1 case passed", 0) == 0);
    const std::vector<std::string> waived = lines_of(suite_run());
    CHECK(waived.back().rfind("::warning title=suite_case_number_7 mistrusted", 0) == 0);
    CHECK(waived[waived.size() - 2].rfind("::notice title=known waived::", 0) == 0);
}

TEST_CASE("annotations: percent, line breaks, colons and commas are escaped") {
    const std::vector<std::string> lines = lines_of(hostile_run());
    REQUIRE(lines.size() == 3);
    for (const std::string& line : lines) {
        CAPTURE(line);
        const std::size_t begin = line.find(" title=") + 7, end = line.find("::", 2);
        REQUIRE(line.rfind("::", 0) == 0);
        const std::string title = line.substr(begin, end - begin), message = line.substr(end + 2);
        CHECK(title.find_first_of(":,\r\n") == std::string::npos);
        CHECK(title.find("%3A%3Aerror%3A%3Ano") != std::string::npos);
        CHECK(title.find("%250A%2C 100%25%3A") != std::string::npos);
        CHECK(message.find("%250A, 100%25:") != std::string::npos);
        CHECK(line.find('\033') == std::string::npos);
    }
}

}  // namespace
