// docs/hazards.md and docs/dialects.md, written from the data: the same text on every machine. A test compares them
// with the files.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/spec/dialect.hpp"

namespace dca::hazards {

void write_hazards_document(std::ostream& out);
void write_dialects_document(std::ostream& out);

/// How well the reference reproduces recorded outputs of a published code: a row of docs/dialects.md.
struct Agreement {
    std::string_view dialect, what;  ///< `what`: the dtype and the tensors
    int cases;
    std::string_view largest;  ///< largest difference, with its digits, and what kind of difference it is
    std::string_view remark;
};
/// The rows there are (agreement.cpp); the section is left out where there are none.
[[nodiscard]] std::span<const Agreement> agreements();

/// Parts of the document of dialects.
void write_rule_tables(std::ostream& out);
void write_differences(std::ostream& out);
void write_facts(std::ostream& out);
void write_agreement(std::ostream& out);

/// A line "| a | b |" and the line that makes the one before a header.
void write_row(std::ostream& out, const std::vector<std::string>& cells);
void write_header(std::ostream& out, const std::vector<std::string>& cells);
/// Broken at spaces to lines of at most 120 characters, each with this indent.
void write_paragraph(std::ostream& out, std::string_view text, std::string_view indent = "");
/// "`a`"
[[nodiscard]] std::string code(std::string_view text);
/// Four significant digits, without trailing zeros.
[[nodiscard]] std::string short_number(double value);

}  // namespace dca::hazards
