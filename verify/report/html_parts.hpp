// The pieces of the HTML page. Strings named html are markup already; everything else passes markup_text().
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "verify/picture/picture.hpp"
#include "verify/run/result.hpp"

namespace dca::verify::html {

/// The style sheet and the script of the page, without their elements.
extern const std::string_view style;
/// Sorting of tables and buttons that copy; the page is complete without it.
extern const std::string_view script;
/// Base64 of the script's SHA-256, by which the page's content policy allows it and nothing else.
extern const std::string_view script_hash;

/// Everything before the first visible thing, and everything after the last. `title`: plain text.
void write_head(std::ostream& out, std::string_view title);
void write_foot(std::ostream& out);

struct Cell {
    std::string html;
    bool number = false;  ///< aligned right
    std::string sort;     ///< what to sort by where it is not the text; not shown
};
[[nodiscard]] Cell text(std::string_view text);
[[nodiscard]] Cell number(double value);
[[nodiscard]] Cell count(std::int64_t value);
[[nodiscard]] Cell chip(Verdict verdict);

struct Table {
    std::string caption;
    std::vector<std::string> header;
    std::vector<std::vector<Cell>> rows;  ///< the first cell is the row's header
    bool sortable = false;
    bool cards = false;  ///< a row is a card of lines where the screen is narrow: for tables of words
};
/// In a box of its own that scrolls sideways where the screen is narrow.
void write_table(std::ostream& out, const Table& table);

/// "pass", "warn" or "fail", the colour of a verdict.
[[nodiscard]] std::string_view tone(Verdict verdict);

/// "ids may be long_names_without_blanks" with places where a browser may break them.
[[nodiscard]] std::string breakable(std::string_view text);

/// Everything about one case that did not pass. `id`: unique on the page; `plotter`: null for tables instead of
/// pictures.
void write_case(std::ostream& out, const CaseReport& report, const std::string& id, picture::Plotter* plotter);

}  // namespace dca::verify::html
