// DialectDifference -> text, JSON. Pure functions of the value.
#pragma once

#include <iosfwd>
#include <span>

#include "verify/run/diff_dialects_result.hpp"

namespace dca::verify {

/// One line that answers whether results differ, and from which row on; then positions, temperature, rules, and the
/// difference of every tensor by region.
void write_difference_text(std::ostream& out, const DialectDifference& difference);

/// Schema "dca-dialect-difference", version 1: keys are only added within a version. Numbers that JSON cannot hold are
/// the strings "nan", "inf" and "-inf".
void write_difference_json(std::ostream& out, std::span<const DialectDifference> cases);

}  // namespace dca::verify
