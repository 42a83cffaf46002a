// MeasureReport -> text, JSON, JUnit XML, Markdown, HTML. Pure functions of the report, but for the pictures of the
// HTML page, which another program draws where it is installed.
#pragma once

#include <iosfwd>

#include "verify/measure/result.hpp"

namespace dca::measure {

void write_text(std::ostream& out, const MeasureReport& report, bool color);
/// Schema docs/measure.schema.json, version 1: keys are only added within a version.
void write_json(std::ostream& out, const MeasureReport& report);
/// One testcase per claim, and one per ladder that broke.
void write_junit(std::ostream& out, const MeasureReport& report);
void write_markdown(std::ostream& out, const MeasureReport& report);
void write_html(std::ostream& out, const MeasureReport& report, bool pictures = true);

}  // namespace dca::measure
