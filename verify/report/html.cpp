// The report as one HTML page: the verdict, what did not pass, each of those in full, what passed.
#include <algorithm>
#include <optional>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/summary.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

using html::Cell;
using html::Table;

std::string section_id(std::size_t index) {
    return "case-" + std::to_string(index + 1);
}

void write_verdict(std::ostream& out, const RunReport& report) {
    out << "<header class=\"verdict " << html::tone(report.verdict) << "\">\n<h1>" << headline_word(report.verdict)
        << "</h1>\n<p>" << markup_text(headline_text(report)) << "</p>\n</header>\n"
        << "<dl class=\"facts\"><dt>golden</dt><dd>" << markup_text(report.golden) << "</dd><dt>candidate</dt><dd>"
        << markup_text(report.candidate) << "</dd></dl>\n";
}

/// How many failing cases look like which mistake.
void write_names(std::ostream& out, const RunReport& report) {
    const std::vector<std::string> lines = mistakes(report).lines();
    if (lines.empty()) return;
    out << "<ul>\n";
    for (const std::string& line : lines) out << "<li>" << markup_text(line) << "</li>\n";
    out << "</ul>\n";
}

/// The cases that did not pass, the most severe verdicts first.
std::vector<std::size_t> problems(const RunReport& report) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < report.cases.size(); ++i) {
        if (!is_pass(report.cases[i].verdict)) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return report.cases[a].verdict > report.cases[b].verdict; });
    return order;
}

/// Pictures of more cases would make the page too heavy for a browser.
constexpr std::size_t most_pictured = 25;

void write_problems(std::ostream& out, const RunReport& report, picture::Plotter* plotter) {
    Table table;
    table.caption = "What did not pass";
    table.header = {"case", "verdict", "dtype", "what is wrong", "looks like"};
    table.sortable = table.cards = true;
    const std::vector<std::size_t> order = problems(report);
    for (const std::size_t i : order) {
        const CaseReport& one = report.cases[i];
        const TensorReport* worst = worst_failure(one);
        const std::string what = worst ? worst->tensor + ": " + worst->reason : in_one_clause(one);
        const std::string mistake = one.explanations.empty() ? "" : name_of(one.explanations.front());
        table.rows.push_back({{"<a href=\"#" + section_id(i) + "\">" + html::breakable(one.id) + "</a>", false, {}},
                              html::chip(one.verdict),
                              html::text(one.dtype),
                              html::text(what),
                              html::text(mistake)});
    }
    if (table.rows.empty()) return;
    html::write_table(out, table);
    std::size_t pictured = 0;
    for (const std::size_t i : order) {
        html::write_case(out, report.cases[i], section_id(i), pictured++ < most_pictured ? plotter : nullptr);
    }
}

void write_passes(std::ostream& out, const RunReport& report) {
    Table table;
    table.caption = "What passed";
    table.header = {"case", "verdict", "dtype"};
    table.sortable = true;
    const std::vector<std::string> columns = tensor_columns(report);
    for (const std::string& tensor : columns) table.header.push_back(tensor);
    bool remarks = false;
    for (const CaseReport& one : report.cases) {
        if (!is_pass(one.verdict)) continue;
        table.rows.push_back({{html::breakable(one.id), false, {}}, html::chip(one.verdict), html::text(one.dtype)});
        for (const std::string& tensor : columns) {
            const TensorReport* found = find_tensor(one, tensor);
            const bool remark = found != nullptr && !found->remark.empty();
            remarks = remarks || remark;
            table.rows.back().push_back({found ? markup_text(ratios(*found)) + (remark ? " *" : "") : "", true,
                                         found ? short_number(found->worst.ratio) : ""});
        }
    }
    if (table.rows.empty()) return;
    out << "<section>\n<h2>" << table.rows.size() << (table.rows.size() == 1 ? " case" : " cases") << " passed</h2>\n";
    html::write_table(out, table);
    if (remarks) {
        out << "<p>* ";
        const char* separator = "";
        for (const std::string& remark : remarks_of_passes(report)) {
            out << separator << markup_text(remark);
            separator = "; ";
        }
        out << "</p>\n";
    }
    out << "</section>\n";
}

void write_notes(std::ostream& out, const RunReport& report, const std::string& plotter) {
    std::vector<std::string> notes;
    for (const CaseReport& one : report.cases) {
        if (!one.coverage.empty()) notes.push_back("judged of " + one.id + ": " + one.coverage);
    }
    for (const std::string& line : not_judged(report)) notes.push_back(line);
    if (const std::string line = golden_line(report); !line.empty()) notes.push_back(line);
    for (const CaseReport& one : report.cases) {
        if (!is_pass(one.verdict)) continue;
        for (const std::string& line : fingerprint_warnings(one)) notes.push_back(one.id + ": " + line);
    }
    notes.insert(notes.end(), report.notes.begin(), report.notes.end());
    const std::size_t unpassed = problems(report).size();
    if (plotter.empty() && unpassed > 0) {
        notes.push_back(
            "pictures need gnuplot (package gnuplot-nox), which was not found or did not answer; tables "
            "stand in their place");
    } else if (unpassed > most_pictured) {
        notes.push_back("pictures of the first " + std::to_string(most_pictured) +
                        " cases that did not pass; tables stand in their place in the others");
    }
    out << "<section>\n<h2>Notes</h2>\n<ul>\n<li>Numbers are the " << markup_text(legend) << ".</li>\n";
    for (const std::string& note : notes) out << "<li>" << markup_text(note) << "</li>\n";
    out << "</ul>\n</section>\n";
}

}  // namespace

void write_html(std::ostream& out, const RunReport& report, const HtmlOptions& options) {
    std::optional<picture::Plotter> plotter;
    if (options.pictures) plotter.emplace();
    const bool draws = plotter && !plotter->version().empty();
    html::write_head(out, std::string(headline_word(report.verdict)) + ": " + headline_text(report));
    write_verdict(out, report);
    write_names(out, report);
    write_problems(out, report, draws ? &*plotter : nullptr);
    write_passes(out, report);
    write_notes(out, report, draws ? plotter->version() : "");
    html::write_foot(out);
}

}  // namespace dca::verify
