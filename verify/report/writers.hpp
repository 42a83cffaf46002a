// RunReport -> text, JSON, JUnit XML, Markdown. Pure functions of the report.
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

}  // namespace dca::verify
