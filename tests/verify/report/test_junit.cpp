// The JUnit report is well-formed XML, and nothing that was not verified is green.
#include <cctype>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/verify/report/reports.hpp"

namespace {

using namespace dca::test;

/// A strict reader of the XML the report uses: elements, attributes in double quotes, text, the five entities and
/// decimal character references. Returns the names of the elements in order of opening, or fails the test.
std::vector<std::string> elements_of(const std::string& xml) {
    std::vector<std::string> seen, open;
    std::size_t at = 0;
    const auto accept = [&](const std::string& token) {
        if (xml.compare(at, token.size(), token) != 0) return false;
        at += token.size();
        return true;
    };
    const auto name = [&] {
        const std::size_t begin = at;
        while (at < xml.size() && std::isalpha(static_cast<unsigned char>(xml[at]))) ++at;
        REQUIRE(at > begin);
        return xml.substr(begin, at - begin);
    };
    const auto character = [&] {
        const auto c = static_cast<unsigned char>(xml[at]);
        REQUIRE((c == '\n' || (c >= 0x20 && c != 0x7f)));
        REQUIRE(c != '<');
        if (c != '&') {
            ++at;
            return;
        }
        const bool entity = accept("&amp;") || accept("&lt;") || accept("&gt;") || accept("&quot;") ||
                            accept("&apos;") || accept("&#10;");
        REQUIRE(entity);
    };
    REQUIRE(accept("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    while (at < xml.size()) {
        if (accept("</")) {
            REQUIRE_FALSE(open.empty());
            REQUIRE(name() == open.back());
            open.pop_back();
            REQUIRE(accept(">"));
        } else if (accept("<")) {
            seen.push_back(name());
            while (accept(" ")) {
                name();
                REQUIRE(accept("=\""));
                while (xml.at(at) != '"') character();
                ++at;
            }
            if (accept("/>")) continue;
            REQUIRE(accept(">"));
            open.push_back(seen.back());
        } else {
            character();
        }
    }
    REQUIRE(open.empty());
    return seen;
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

}  // namespace
