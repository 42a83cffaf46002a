#include <ostream>

#include "verify/measure_report/tables.hpp"
#include "verify/measure_report/writers.hpp"
#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"

namespace dca::measure {
namespace {

Cells printable_cells(Cells table) {
    for (auto& row : table) {
        for (std::string& cell : row) cell = verify::printable(cell);
    }
    return table;
}

void write_table(std::ostream& out, const Cells& table, std::size_t left) {
    for (const std::string& line : verify::align(printable_cells(table), left)) out << "  " << line << '\n';
}

const char* color_of(RunOutcome outcome) {
    return outcome == RunOutcome::passed ? "\033[32m" : outcome == RunOutcome::inconclusive ? "\033[33m" : "\033[31m";
}

}  // namespace

void write_text(std::ostream& out, const MeasureReport& report, bool color) {
    if (color) out << color_of(outcome(report));
    out << headline_word(report);
    if (color) out << "\033[0m";
    out << ": " << headline_text(report) << "\nmachine: " << verify::printable(report.machine) << '\n';
    for (const Ladder& ladder : report.ladders) {
        out << '\n' << verify::printable(heading(ladder)) << '\n';
        write_table(out, point_table(ladder), 0);
    }
    if (!report.fits.empty()) {
        out << "\nfits (intervals at 90 %)\n";
        write_table(out, fit_table(report), 5);
    }
    if (!report.claims.empty()) out << "\nclaims\n";
    for (const ClaimReport& claim : report.claims) {
        const ClaimVerdict& verdict = claim.verdict;
        out << "  " << name(verdict.outcome) << "  " << verify::printable(verdict.candidate) << ": "
            << verify::printable(verdict.claim) << '\n';
        const std::string reason = reason_text(verdict);
        const std::string measured = verdict.measured ? estimate_text(*verdict.measured) : std::string();
        if (reason.find(measured) == std::string::npos) {
            out << "      " << verdict.measured_name << " " << measured << '\n';
        }
        out << "      " << verify::printable(reason) << '\n';
        if (!as_expected(claim)) out << "      " << expectation_text(claim) << " by the claims file\n";
        if (!claim.source.empty()) out << "      says " << verify::printable(claim.source) << '\n';
    }
    out << '\n';
    for (const std::string& line : remarks(report)) out << line << '\n';
    for (const std::string& note : report.notes) out << verify::printable(note) << '\n';
}

}  // namespace dca::measure
