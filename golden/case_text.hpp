// The one-line text form of a case, and back. The form is what users type after --case and what repro lines print.
#pragma once

#include <string>
#include <string_view>

#include "golden/case_spec.hpp"

namespace dca::golden {

/// Canonical text: `key=value` words separated by single spaces, in a fixed order, defaults left out, floating point
/// values in the shortest form that reads back exactly. parse_case(to_text(c)) == c for every valid c.
[[nodiscard]] std::string to_text(const CaseSpec& spec);

/// Reads a case. Throws InvalidProblem naming the word that is unknown, repeated, malformed or missing. Does not call
/// validate(): a must_reject case has to be readable.
[[nodiscard]] CaseSpec parse_case(std::string_view text);

}  // namespace dca::golden
