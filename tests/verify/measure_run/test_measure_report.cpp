#include "verify/measure_report/writers.hpp"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/verify/measure_run/sample_report.hpp"
#include "tests/verify/report/markup.hpp"
#include "verify/measure_report/tables.hpp"

using namespace dca::measure;
using dca::test::sample_report;
using nlohmann::json;

namespace {

template <class Write>
std::string written(Write write, const MeasureReport& report) {
    std::ostringstream out;
    write(out, report);
    return out.str();
}

std::string text(const MeasureReport& report) {
    return written([](std::ostream& out, const MeasureReport& of) { write_text(out, of, false); }, report);
}

std::string page(const MeasureReport& report) {
    return written([](std::ostream& out, const MeasureReport& of) { write_html(out, of, false); }, report);
}

bool has(const std::string& whole, const std::string& part) {
    return whole.find(part) != std::string::npos;
}

/// Text from outside in every place that takes some.
MeasureReport hostile() {
    MeasureReport report = sample_report();
    const std::string bad = "<b>&\"'|`\x1b[31m\n]]>\xff";
    report.machine = report.command = report.ladders[0].candidate = report.ladders[0].points[4].failure =
        report.claims[0].source = report.claims[0].verdict.reason = report.claims[0].verdict.claim = report.notes[0] =
            report.fits[0].steps[0].what = bad;
    return report;
}

std::size_t count(const std::string& whole, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = whole.find(part); at != std::string::npos; at = whole.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("the text says verdict, points, fits, claims and where numbers come from") {
    const std::string all = text(sample_report());
    CHECK(all.find("FAILED: 1 ladder, 4 sizes measured; 3 claims: 1 pass, 1 fail, 1 inconclusive\n") == 0);
    for (const char* part :
         {"reference, forward, f64, 1 head of 128 channels, 1 thread", "1000 B", "1.46 MiB", "2.1 ms +- 2.44 %",
          "its later repeats took 20 % longer", "others had the processor for 50 % of the wall time",
          "left out: one run is foreseen", "1 (0.99 .. 1.01)", "1 + n", "a stair at n = 2048", "too few sizes",
          "would be decided by: more repeats", "says somebody, somewhere", "allocation hook",
          "GPU time and memory: not available here", "a note"}) {
        CAPTURE(part);
        CHECK(has(all, part));
    }
}

TEST_CASE("JSON follows docs/measure.schema.json, numbers bit for bit") {
    std::ifstream file(DCA_SOURCE_DIR "/docs/measure.schema.json");
    const dca::test::JsonSchema schema(json::parse(file), true);
    MeasureReport report = sample_report();
    report.fits[0].power->offset.high = std::numeric_limits<double>::infinity();
    for (const MeasureReport& one : {report, MeasureReport{}, hostile()}) {
        const std::vector<std::string> violations = schema.violations(json::parse(written(write_json, one)));
        CAPTURE(violations.empty() ? "" : violations.front());
        CHECK(violations.empty());
    }
    const json whole = json::parse(written(write_json, report));
    CHECK(whole["exit_status"] == 1);
    CHECK(whole["ladders"][0]["points"][1]["repeats"][3]["cpu_seconds"] ==
          report.ladders[0].points[1].repeats[3].cpu_seconds);
    CHECK(whole["ladders"][0]["points"][0]["repeats"][0]["gpu_seconds"].is_null());
    CHECK(whole["fits"][0]["power"]["offset"]["high"] == "inf");
    json wrong = whole;
    wrong["claims"][0].erase("verdict");
    CHECK_FALSE(schema.violations(wrong).empty());
}

TEST_CASE("JUnit: a testcase per claim, what is open is not green, what broke is an error") {
    const std::string xml = written(write_junit, sample_report());
    CHECK(has(xml, "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    MeasureReport broken = sample_report();
    broken.ladders[0].points[4].failure = "it was killed";
    CHECK(has(written(write_junit, broken), "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""));
    CHECK(has(written(write_junit, MeasureReport{}), "errors=\"1\""));
    for (const MeasureReport& report : {sample_report(), hostile(), MeasureReport{}}) {
        const std::string all = written(write_junit, report);
        const auto elements = dca::test::elements_of(all, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        CHECK(elements.at(0).name == "testsuites");
        CHECK(count(all, "<testcase ") >= 1);
    }
}

TEST_CASE("Markdown and the page show the same, and text from outside stays text") {
    const std::string markdown = written(write_markdown, sample_report());
    CHECK(markdown.find("## FAILED: ") == 0);
    CHECK(has(markdown, "| PASS | reference | memory \\<= O(n) |"));
    MeasureReport without_command = hostile();
    without_command.command.clear();  // in a code block, where markup means nothing
    const std::string hostile_markdown = written(write_markdown, without_command);
    CHECK_FALSE(has(hostile_markdown, "<b>"));
    CHECK_FALSE(has(written(write_markdown, hostile()), "\n<b>"));
    CHECK_FALSE(has(hostile_markdown, "\x1b"));
    CHECK_FALSE(has(text(hostile()), "\x1b"));
    for (const MeasureReport& report : {sample_report(), hostile(), MeasureReport{}}) {
        const std::string html = page(report);
        CHECK_FALSE(has(html, "<b>&"));
        CHECK_FALSE(has(html, "\x1b"));
        CHECK(has(html, "<h1>" + headline_word(report) + "</h1>"));
    }
    CHECK(has(page(sample_report()), "<span class=\"chip fail\">FAIL</span>"));
}

TEST_CASE("numbers as people read them") {
    CHECK(seconds_text(0) == "0 s");
    CHECK(seconds_text(2.5e-6) == "2.5 us");
    CHECK(seconds_text(0.0125) == "12.5 ms");
    CHECK(seconds_text(12) == "12 s");
    CHECK(bytes_text(1000) == "1000 B");
    CHECK(bytes_text(1536) == "1.5 KiB");
    CHECK(bytes_text(-1536) == "-1.5 KiB");
    CHECK(bytes_text(3.0 * (1 << 30)) == "3 GiB");
    CHECK(size_text(1000) == "1000");
    CHECK(size_text(4096) == "4K");
    CHECK(size_text(1 << 21) == "2M");
    MeasureReport report;
    CHECK(headline_word(report) == "INCONCLUSIVE");
    report = sample_report();
    report.claims.clear();
    CHECK(headline_word(report) == "MEASURED");
}

TEST_CASE("memory that the allocation hook does not see is told") {
    MeasureReport report = sample_report();
    const auto told = [&] {
        for (const std::string& line : remarks(report)) {
            if (has(line, "that the allocation hook does not see")) return true;
        }
        return false;
    };
    CHECK_FALSE(told());
    report.ladders[0].points[0].resident_bytes = 64 << 20;
    CHECK(told());
}
