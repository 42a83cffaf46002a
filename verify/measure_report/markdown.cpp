#include <ostream>

#include "verify/measure_report/tables.hpp"
#include "verify/measure_report/writers.hpp"
#include "verify/report/printable.hpp"

namespace dca::measure {
namespace {

/// Text inside a table cell or a paragraph: nothing in it may act as markup.
std::string plain(std::string_view text) {
    std::string result;
    for (const char c : verify::printable(text)) {
        if (std::string_view("\\`*_{}[]<>#|&~").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

void write_row(std::ostream& out, const std::vector<std::string>& cells) {
    out << '|';
    for (const std::string& cell : cells) out << ' ' << plain(cell) << " |";
    out << '\n';
}

void write_table(std::ostream& out, const Cells& table) {
    write_row(out, table.front());
    out << '|';
    for (std::size_t c = 0; c < table.front().size(); ++c) out << " --- |";
    out << '\n';
    for (std::size_t r = 1; r < table.size(); ++r) write_row(out, table[r]);
}

}  // namespace

void write_markdown(std::ostream& out, const MeasureReport& report) {
    out << "## " << headline_word(report) << ": " << plain(headline_text(report)) << "\n\n"
        << plain(report.machine) << "\n\n";
    if (!report.claims.empty()) {
        write_table(out, claim_table(report));
        out << '\n';
        for (const ClaimReport& claim : report.claims) {
            out << "- "
                << plain(claim.verdict.candidate + ": " + claim.verdict.claim + ": " + reason_text(claim.verdict))
                << '\n';
        }
    }
    for (const Ladder& ladder : report.ladders) {
        out << "\n### " << plain(heading(ladder)) << "\n\n";
        write_table(out, point_table(ladder));
    }
    if (!report.fits.empty()) {
        out << "\n### Fits\n\n";
        write_table(out, fit_table(report));
    }
    out << '\n';
    for (const std::string& line : remarks(report)) out << "- " << plain(line) << '\n';
    for (const std::string& note : report.notes) out << "- " << plain(note) << '\n';
    if (!report.command.empty()) out << "\n    " << verify::printable(report.command) << '\n';
}

}  // namespace dca::measure
