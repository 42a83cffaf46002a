#include "verify/report/html_parts.hpp"

#include <cmath>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"

namespace dca::verify::html {

void write_head(std::ostream& out, std::string_view title) {
    out << "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
        << "<meta charset=\"utf-8\"/>\n"
        // Whatever a name on the page might smuggle in, nothing is loaded and nothing else is run.
        << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
        << "'unsafe-inline'; script-src 'sha256-" << script_hash << "'\"/>\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        << "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        << "<meta name=\"generator\" content=\"dca " << DCA_VERSION << "\"/>\n"
        << "<title>" << markup_text(title) << "</title>\n<style>" << style << "</style>\n</head>\n<body>\n<main>\n";
}

void write_foot(std::ostream& out) {
    out << "</main>\n<footer>dca " << DCA_VERSION << "</footer>\n<script>" << script << "</script>\n</body>\n</html>\n";
}

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

std::string breakable(std::string_view words) {
    std::string result;
    for (const char c : markup_text(words)) {
        result += c;
        if (c == '_' || c == '/') result += "<wbr/>";
    }
    return result;
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
    // A box that scrolls must be reachable by keyboard and have a name. Roles are spelt out because a browser forgets
    // them where the style sheet lays a table out as cards.
    out << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" << markup_text(table.caption)
        << "\">\n<table role=\"table\"" << (table.sortable || table.cards ? " class=\"" : "")
        << (table.sortable ? "sortable" : "") << (table.cards ? " cards" : "")
        << (table.sortable || table.cards ? "\"" : "") << ">\n<caption>" << markup_text(table.caption)
        << "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">";
    for (std::size_t c = 0; c < table.header.size(); ++c) {
        const bool right = !table.rows.empty() && table.rows.front()[c].number;
        out << "<th scope=\"col\" role=\"columnheader\"" << (right ? " class=\"n\"" : "") << ">"
            << markup_text(table.header[c]) << "</th>";
    }
    out << "</tr></thead>\n<tbody role=\"rowgroup\">\n";
    for (const std::vector<Cell>& row : table.rows) {
        out << "<tr role=\"row\">";
        for (std::size_t c = 0; c < row.size(); ++c) {
            const Cell& cell = row[c];
            out << (c == 0 ? "<th scope=\"row\" role=\"rowheader\"" : "<td role=\"cell\"")
                << (cell.number ? " class=\"n\"" : "");
            if (!cell.sort.empty()) out << " data-sort=\"" << markup_text(cell.sort) << '"';
            out << '>' << cell.html << (c == 0 ? "</th>" : "</td>");
        }
        out << "</tr>\n";
    }
    out << "</tbody>\n</table>\n</div>\n";
}

}  // namespace dca::verify::html
