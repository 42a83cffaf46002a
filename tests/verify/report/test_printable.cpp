// Text from outside: one line, valid UTF-8, nothing that moves a cursor or turns a line round.
#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"
#include "verify/report/printable.hpp"

namespace {

using namespace dca::test;
using dca::verify::markup_text;

std::string printable(std::string_view text) {
    return dca::verify::printable(text);
}

TEST_CASE("printable: what reads stays, what does not becomes ?") {
    CHECK(printable("abc \xc3\xbc \xe4\xb8\xad \xf0\x9f\x98\x80") == "abc \xc3\xbc \xe4\xb8\xad \xf0\x9f\x98\x80");
    CHECK(printable("a\nb\rc\td") == "a b c d");
    CHECK(printable("\x1b[31m\x7f") == "?[31m?");
    CHECK(printable(std::string_view("a\0b", 3)) == "a?b");
    CHECK(printable("\xc2\x9b") == "?");                                    // a control character of two bytes: CSI
    CHECK(printable("\xe2\x80\xae \xe2\x80\x8b \xef\xbb\xbf") == "? ? ?");  // override, zero width, byte order mark
    CHECK(printable("\xff \xc3( \xc3") == "? ?( ?");
    CHECK(printable("\xc0\x80 \xe0\x80\x80 \xf0\x80\x80\x80") == "?? ??? ????");  // longer than needed
    CHECK(printable("\xed\xa0\x80 \xf4\x90\x80\x80 \xf5") == "??? ???? ?");       // surrogate, beyond U+10FFFF
    CHECK(printable("\xe4\xb8") == "??");
    CHECK(printable("") == "");
    CHECK(markup_text("<a href=\"x\">'&\n") == "&lt;a href=&quot;x&quot;&gt;&apos;&amp; ");
}

TEST_CASE("printable: text and Markdown reports of hostile texts have no control character and no markup") {
    const dca::verify::RunReport report = hostile_run();
    const std::string text = text_of(report, {.verbose = true});
    const std::string markdown = written(dca::verify::write_markdown, report);
    for (const std::string& written_text : {text, markdown}) {
        for (const char c : written_text) CHECK((c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)));
        CHECK(written_text.find("\n::error") == std::string::npos);
        CHECK(written_text.find("\xff") == std::string::npos);
    }
    // Only in the command, which is in a code block, may anything look like markup.
    std::istringstream lines(markdown);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("    ", 0) == 0) continue;
        CAPTURE(line);
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (std::string_view("<>`[]").find(line[i]) != std::string_view::npos)
                CHECK((i > 0 && line[i - 1] == '\\'));
        }
    }
}

}  // namespace
