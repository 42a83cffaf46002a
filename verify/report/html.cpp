// The report as one HTML page: the verdict, what did not pass, each of those in full, what passed.
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

void write_head(std::ostream& out, const RunReport& report) {
    out << "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
        << "<meta charset=\"utf-8\"/>\n"
        // Whatever a name on the page might smuggle in, nothing is loaded and nothing else is run.
        << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
        << "'unsafe-inline'; script-src 'sha256-" << html::script_hash << "'\"/>\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        << "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        << "<meta name=\"generator\" content=\"dca " << DCA_VERSION << "\"/>\n"
        << "<title>" << headline_word(report.verdict) << ": " << markup_text(headline_text(report)) << "</title>\n"
        << "<style>\n"
        << html::style << "</style>\n</head>\n<body>\n<main>\n";
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

void write_problems(std::ostream& out, const RunReport& report) {
    Table table;
    table.caption = "What did not pass";
    table.header = {"case", "verdict", "dtype", "what is wrong", "looks like"};
    table.sortable = true;
    for (std::size_t i = 0; i < report.cases.size(); ++i) {
        const CaseReport& one = report.cases[i];
        if (is_pass(one.verdict)) continue;
        const std::string mistake = one.explanations.empty() ? "" : name_of(one.explanations.front());
        table.rows.push_back({{"<a href=\"#" + section_id(i) + "\">" + markup_text(one.id) + "</a>", false, {}},
                              html::chip(one.verdict),
                              html::text(one.dtype),
                              html::text(in_one_clause(one)),
                              html::text(mistake)});
    }
    if (table.rows.empty()) return;
    html::write_table(out, table);
    for (std::size_t i = 0; i < report.cases.size(); ++i) {
        if (!is_pass(report.cases[i].verdict)) html::write_case(out, report.cases[i], section_id(i));
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
        table.rows.push_back({html::text(one.id), html::chip(one.verdict), html::text(one.dtype)});
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

void write_notes(std::ostream& out, const RunReport& report) {
    std::vector<std::string> notes;
    for (const CaseReport& one : report.cases) {
        if (!one.coverage.empty()) notes.push_back("judged of " + one.id + ": " + one.coverage);
    }
    for (const std::string& line : not_judged(report)) notes.push_back(line);
    notes.insert(notes.end(), report.notes.begin(), report.notes.end());
    out << "<section>\n<h2>Notes</h2>\n<ul>\n<li>Numbers are the " << markup_text(legend) << ".</li>\n";
    for (const std::string& note : notes) out << "<li>" << markup_text(note) << "</li>\n";
    out << "</ul>\n</section>\n";
}

}  // namespace

void write_html(std::ostream& out, const RunReport& report, const HtmlOptions&) {
    write_head(out, report);
    write_verdict(out, report);
    write_names(out, report);
    write_problems(out, report);
    write_passes(out, report);
    write_notes(out, report);
    out << "</main>\n<footer>dca " << DCA_VERSION << "</footer>\n<script>" << html::script
        << "</script>\n</body>\n</html>\n";
}

}  // namespace dca::verify
