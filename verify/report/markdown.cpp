// The report for a pull request or a job summary.
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/summary.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

/// A job summary on GitHub holds 1 MiB; beyond so many cases a reader wants to know which they are.
constexpr std::size_t full_sections = 10;

/// Text inside a table cell or a paragraph: nothing in it may act as markup.
std::string plain(std::string_view text) {
    std::string result;
    for (char c : text) {
        if (std::string_view("\\`*_{}[]<>#|&~").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

void table_line(std::ostream& out, const std::vector<std::string>& cells) {
    out << '|';
    for (const std::string& cell : cells) out << ' ' << plain(cell) << " |";
    out << '\n';
}

void write_table(std::ostream& out, const std::vector<std::vector<std::string>>& table) {
    table_line(out, table.front());
    out << '|';
    for (std::size_t c = 0; c < table.front().size(); ++c) out << " --- |";
    out << '\n';
    for (std::size_t r = 1; r < table.size(); ++r) table_line(out, table[r]);
}

void problem(std::ostream& out, const CaseReport& one) {
    out << "\n### " << plain(one.id) << ": " << name(one.verdict) << "\n\n";
    if (!one.reason.empty()) out << plain(one.reason) << "\n\n";
    if (const TensorReport* worst = worst_failure(one)) {
        const auto [expected, got] = distinct_numbers(worst->worst.expected, worst->worst.got);
        out << plain(worst->tensor + ": " + worst->reason + ". Worst element: " + coordinates(worst->worst) +
                     " (region " + std::string(name(worst->worst.region)) + "), expected " + expected + ", got " + got +
                     ", " + short_number(worst->worst.ratio) + " sigma.")
            << "\n\n";
        write_table(out, region_table(*worst));
        out << '\n';
    }
    for (const std::string& line : where_lines(one, 2)) out << "- " << plain(line) << '\n';
    for (const Explanation& explanation : one.explanations) out << "- " << plain(explanation_text(explanation)) << '\n';
    for (const std::string& line : fingerprint_warnings(one)) out << "- " << plain(line) << '\n';
    if (!one.waiver.empty()) out << "- waiver: " << plain(one.waiver) << '\n';
    if (!one.repro.empty()) out << "\n    " << one.repro << "\n";
}

}  // namespace

void write_markdown(std::ostream& out, const RunReport& original) {
    const RunReport report = printable(original);
    out << "## " << headline_word(report.verdict) << ": " << plain(headline_text(report)) << "\n\n"
        << plain("golden " + report.golden + ", candidate " + report.candidate) << "\n\n";
    std::vector<std::vector<std::string>> table{{"case", "verdict", "dtype"}};
    const std::vector<std::string> columns = tensor_columns(report);
    for (const std::string& tensor : columns) table.front().push_back(tensor);
    for (const CaseReport& one : report.cases) {
        table.push_back({one.id, std::string(name(one.verdict)), one.dtype});
        for (const std::string& tensor : columns) {
            const TensorReport* found = find_tensor(one, tensor);
            table.back().push_back(found ? ratios(*found) : "");
        }
    }
    write_table(out, table);
    out << '\n' << plain("Numbers are the " + std::string(legend) + ".") << '\n';
    for (const std::string& line : mistakes(report).lines()) out << "\n- " << plain(line);
    if (mistakes(report).failing > 1) out << '\n';
    std::size_t told = 0;
    for (const CaseReport& one : report.cases) {
        if (is_pass(one.verdict)) continue;
        if (told++ < full_sections) {
            problem(out, one);
        } else {
            out << (told == full_sections + 1 ? "\n### Further cases that did not pass\n\n" : "") << "- "
                << plain(one.id + ": " + in_one_clause(one)) << '\n';
        }
    }
    for (const CaseReport& one : report.cases) {
        if (!one.coverage.empty()) out << "\nJudged of " << plain(one.id + ": " + one.coverage) << '\n';
    }
    for (const std::string& line : not_judged(report)) out << '\n' << plain(line) << '\n';
    if (const std::string line = golden_line(report); !line.empty()) out << "\nNote: " << plain(line) << '\n';
    for (const std::string& note : report.notes) out << "\nNote: " << plain(note) << '\n';
}

}  // namespace dca::verify
