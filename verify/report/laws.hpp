// LawsReport -> text, JSON. Pure functions of the report.
#pragma once

#include <iosfwd>

#include "verify/laws/result.hpp"

namespace dca::verify {

/// Verdict first; per case a table of the laws, which were not checked and why, and what they cannot see.
void write_text(std::ostream& out, const LawsReport& report);
/// Schema "dca-laws", version 1: keys are only added within a version. Numbers that JSON cannot hold are the strings
/// "nan", "inf" and "-inf".
void write_json(std::ostream& out, const LawsReport& report);

}  // namespace dca::verify
