// RunReport -> text, JSON, JUnit XML, Markdown, HTML, SARIF, GitHub annotations. Pure functions of the report, but for
// the pictures of the HTML page, which another program draws where it is installed.
#pragma once

#include <iosfwd>

#include "verify/run/result.hpp"

namespace dca::verify {

struct TextOptions {
    bool verbose = false;  ///< region tables for passing cases too
    bool color = false;
};

/// Verdict first, then per failing case: the worst element, the region table, the likely mistake, the repro command.
void write_text(std::ostream& out, const RunReport& report, const TextOptions& options);
void write_json(std::ostream& out, const RunReport& report);
void write_junit(std::ostream& out, const RunReport& report);
void write_markdown(std::ostream& out, const RunReport& report);
void write_sarif(std::ostream& out, const RunReport& report);
/// `::error title=...::...` for each of the ten worst cases that did not pass, and a closing line where there are more.
void write_annotations(std::ostream& out, const RunReport& report);

struct HtmlOptions {
    bool pictures = true;  ///< false: tables only
};
/// One page that needs nothing else, no script either: HTML that is also well-formed XML.
void write_html(std::ostream& out, const RunReport& report, const HtmlOptions& options = {});

}  // namespace dca::verify
