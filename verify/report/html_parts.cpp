#include "verify/report/html_parts.hpp"

#include <cmath>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"

namespace dca::verify::html {

Cell text(std::string_view words) {
    return {markup_text(words), false, {}};
}

Cell number(double value) {
    // Sorted as numbers; what is no number is worse than any.
    return {markup_text(short_number(value)), true, std::isfinite(value) ? short_number(value) : "1e999"};
}

Cell count(std::int64_t value) {
    return {std::to_string(value), true, {}};
}

std::string_view tone(Verdict verdict) {
    if (is_pass(verdict)) return "pass";
    return exit_status(verdict) == 3 || exit_status(verdict) == 0 ? "warn" : "fail";
}

Cell chip(Verdict verdict) {
    return {"<span class=\"chip " + std::string(tone(verdict)) + "\">" + std::string(name(verdict)) + "</span>", false,
            std::to_string(static_cast<int>(verdict))};
}

void write_table(std::ostream& out, const Table& table) {
    // A box that scrolls must be reachable by keyboard and have a name.
    out << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" << markup_text(table.caption)
        << "\">\n<table" << (table.sortable ? " class=\"sortable\"" : "") << ">\n<caption>"
        << markup_text(table.caption) << "</caption>\n<thead><tr>";
    for (std::size_t c = 0; c < table.header.size(); ++c) {
        const bool right = !table.rows.empty() && table.rows.front()[c].number;
        out << "<th scope=\"col\"" << (right ? " class=\"n\"" : "") << ">" << markup_text(table.header[c]) << "</th>";
    }
    out << "</tr></thead>\n<tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        out << "<tr>";
        for (std::size_t c = 0; c < row.size(); ++c) {
            const Cell& cell = row[c];
            const char* element = c == 0 ? "th" : "td";
            out << '<' << element << (c == 0 ? " scope=\"row\"" : "") << (cell.number ? " class=\"n\"" : "");
            if (!cell.sort.empty()) out << " data-sort=\"" << markup_text(cell.sort) << '"';
            out << '>' << cell.html << "</" << element << '>';
        }
        out << "</tr>\n";
    }
    out << "</tbody>\n</table>\n</div>\n";
}

}  // namespace dca::verify::html
