// The HTML page as text: well-formed, self-contained, complete without script and pictures.
// tests/verify/report/pages.py opens it in a browser.
#include <set>

#include "tests/verify/report/markup.hpp"
#include "tests/verify/report/rich_reports.hpp"
#include "verify/picture/picture.hpp"

namespace {

using namespace dca::test;
using dca::verify::HtmlOptions;
using dca::verify::RunReport;

std::string page(const RunReport& report, bool pictures = false) {
    std::ostringstream out;
    dca::verify::write_html(out, report, HtmlOptions{.pictures = pictures});
    return out.str();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Well-formed; every id once and every reference to one that is there; nothing is loaded from anywhere.
std::vector<MarkupElement> checked(const std::string& html) {
    const std::vector<MarkupElement> elements = elements_of(html, "<!DOCTYPE html>\n");
    std::set<std::string> ids;
    for (const MarkupElement& one : elements) {
        if (one.attributes.count("id") == 1) CHECK(ids.insert(one.attributes.at("id")).second);
        CHECK(one.attributes.count("src") == 0);
        for (const auto& [key, value] : one.attributes) CHECK(key.rfind("on", 0) != 0);
        CHECK((one.name != "link" && one.name != "iframe" && one.name != "object" && one.name != "form"));
    }
    for (const MarkupElement& one : elements) {
        const auto href = one.attributes.find("href");
        if (href != one.attributes.end()) {
            const bool inside = href->second.front() == '#' && ids.count(href->second.substr(1)) == 1;
            CHECK((inside || (one.name == "image" && href->second.rfind("data:image/png;base64,", 0) == 0)));
        }
        const auto label = one.attributes.find("aria-labelledby");
        if (label == one.attributes.end()) continue;
        std::istringstream names(label->second);
        for (std::string id; names >> id;) CHECK(ids.count(id) == 1);
    }
    for (const char* outside : {"http://", "https://", "url(", "@import"}) {
        for (std::size_t at = html.find(outside); at != std::string::npos; at = html.find(outside, at + 1)) {
            const std::string there = html.substr(at, 40);
            const bool name_of_language = there.rfind("http://www.w3.org/1999/xhtml\"", 0) == 0 ||
                                          there.rfind("http://www.w3.org/2000/svg\"", 0) == 0;
            CAPTURE(there);
            CHECK(name_of_language);
        }
    }
    return elements;
}

std::size_t count(const std::vector<MarkupElement>& elements, const std::string& name) {
    return static_cast<std::size_t>(
        std::count_if(elements.begin(), elements.end(), [&](const MarkupElement& one) { return one.name == name; }));
}

TEST_CASE("html: the verdict, what did not pass, each of those in full, what passed") {
    const std::string text = page(suite_run());
    checked(text);
    for (const char* part :
         {"<title>ERROR: 1 of 62 cases errored, 5 failed, 1 waived, 1 mistrusted, 54 passed", "<h1>ERROR</h1>",
          "6 of 6 failing cases look like detached-merge (H34)",
          "<dd>batch 0, row 32, head 1, channel 3 (region +inter)",
          "<dt>expected</dt><dd>0.25</dd><dt>got</dt><dd>-0.125</dd>", "-0.375 = 3.75e+03 sigma (passes up to 6)",
          "batch 0, row 32, head 1: RMS error 450 sigma (passes up to 3)", "<caption>Regions of dq</caption>",
          "looks like a detached merge (H34); dq agrees with that within 0.4 sigma; seen in somebody&apos;s pull "
          "request",
          "dq: 97 % of the error energy lies in rows from chunk 4 on", "<caption>dq by chunk</caption>",
          "warning: dq: noise of 5.2 sigma", "chunk_size 10, local_size 4", "proven to 2e-13",
          "<code>dca compare g.h5 c.h5 --case suite_case_number_17</code>", "Waiver: issue 123",
          "dataset outputs/out: shape", "<h2>54 cases passed</h2>", "worst element | worst row"}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
    CHECK(text.find("id=\"case-61\"") < text.find("id=\"case-6\""));  // the errored case before the failed ones
    CHECK(has(page(everything()), "an output of zeros would pass"));
}

TEST_CASE("html: without pictures their numbers stand in tables, and a line says so") {
    const std::string text = page(run_of({rich_case("wrong")}));
    checked(text);
    CHECK(has(text, "pictures need gnuplot"));
    CHECK(has(text, "<caption>dq: row error by query row and head, the largest</caption>"));
    CHECK(has(text, "<caption>dq: how many elements are how far off</caption>"));
    CHECK(has(text, "450"));
    CHECK_FALSE(has(text, "<svg"));
    CHECK_FALSE(has(page(run_of({passing_case("good")})), "gnuplot"));
}

TEST_CASE("html: pictures with titles and descriptions, the same bytes every time") {
    dca::picture::Plotter plotter;
    if (plotter.version().empty()) {
        WARN("no gnuplot: the pictures of the page were not tested");
        return;
    }
    const RunReport report = run_of({rich_case("wrong"), rich_case("other")});
    const std::string text = page(report, true);
    const std::vector<MarkupElement> elements = checked(text);
    CHECK(count(elements, "svg") == 8);
    CHECK(count(elements, "desc") == 8);
    CHECK(count(elements, "figcaption") == 8);
    for (const MarkupElement& one : elements) {
        if (one.name != "svg") continue;
        CHECK(one.attributes.at("role") == "img");
        CHECK(one.attributes.count("aria-labelledby") == 1);
    }
    CHECK(has(text, "Largest: 450 at query row 32, head 1."));
    CHECK(has(text, "dialect exact, chunk_size 10, local_size 4, relative positions 0 to 10"));
    CHECK_FALSE(has(text, "gnuplot"));
    CHECK(text == page(report, true));
}

TEST_CASE("html: whatever texts hold, they are text") {
    for (const bool pictures : {false, true}) {
        const std::string text = page(hostile_run(), pictures);
        const std::vector<MarkupElement> elements = checked(text);
        CHECK(count(elements, "script") == 1);
        CHECK(count(elements, "img") == 0);
        CHECK(count(elements, "style") == 1);
        CHECK(text.find('\033') == std::string::npos);
        CHECK(text.find('\0') == std::string::npos);
        CHECK(has(text, "&lt;/title&gt;&lt;/style&gt;&lt;script&gt;alert(1)"));
        CHECK(has(text, "\xc3\xbc \xe4\xb8\xad\xe6\x96\x87"));
    }
}

TEST_CASE("html: a run without cases is a page too, and not green") {
    const std::string text = page(run_of({}));
    checked(text);
    CHECK(has(text, "<header class=\"verdict warn\">"));
    CHECK(has(text, "nothing was compared"));
    CHECK(has(page(run_of({passing_case("good")})), "<header class=\"verdict pass\">"));
}

TEST_CASE("html: the kill matrix says what nobody caught first") {
    std::ostringstream out;
    dca::verify::write_kill_matrix_html(out, kill_page(), HtmlOptions{.pictures = false});
    const std::string text = out.str();
    checked(text);
    CHECK(has(text, "<h2>bf16: 46 of 48 mutants killed</h2>"));
    CHECK(text.find("inter-position-wrong-7<") < text.find("inter-position-wrong-0<"));
    CHECK(has(text, ">missed<"));
    CHECK(has(text, ">no case<"));
    dca::verify::KillPage broken = kill_page();
    broken.matrices[1].cells.pop_back();
    CHECK_THROWS_AS(dca::verify::write_kill_matrix_html(out, broken), dca::ContractError);
}

}  // namespace
