// A case that did not pass: what is wrong, where, what it looks like, how to see it again.
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/printable.hpp"

namespace dca::verify::html {
namespace {

void write_fact(std::ostream& out, std::string_view term, const std::string& words) {
    out << "<dt>" << term << "</dt><dd>" << markup_text(words) << "</dd>";
}

void write_tensors(std::ostream& out, const CaseReport& report) {
    if (report.tensors.empty()) return;
    Table table{"Tensors", {"tensor", "verdict", "worst element", "worst row", "what"}, {}, false};
    for (const TensorReport& tensor : report.tensors) {
        const bool compared = !tensor.worst.index.empty();
        table.rows.push_back({text(tensor.tensor), chip(tensor.verdict),
                              compared ? number(tensor.worst.ratio) : Cell{"", true, {}},
                              tensor.worst_row ? number(tensor.worst_row->ratio) : Cell{"", true, {}},
                              text(tensor.reason.empty() ? tensor.remark : tensor.reason)});
    }
    write_table(out, table);
}

void write_worst(std::ostream& out, const TensorReport& tensor) {
    const ElementReport& worst = tensor.worst;
    const auto [expected, got] = distinct_numbers(worst.expected, worst.got);
    out << "<h3>Worst element of " << markup_text(tensor.tensor) << "</h3>\n<dl class=\"facts\">";
    write_fact(out, "where", coordinates(worst) + " (region " + std::string(name(worst.region)) + ")");
    write_fact(out, "expected", expected);
    write_fact(out, "got", got);
    write_fact(out, "error",
               short_number(worst.got - worst.expected) + " = " + short_number(worst.ratio) + " sigma (passes up to " +
                   short_number(tensor.element_line) + ")");
    if (tensor.worst_row) {
        const RowReport& row = *tensor.worst_row;
        write_fact(out, "worst row",
                   "batch " + std::to_string(row.batch) + ", row " + std::to_string(row.row) + ", head " +
                       std::to_string(row.head) + ": RMS error " + short_number(row.ratio) + " sigma (passes up to " +
                       short_number(tensor.row_line) + ")");
    }
    out << "</dl>\n";
}

void write_regions(std::ostream& out, const TensorReport& tensor) {
    const auto lines = region_table(tensor);
    Table table{"Regions of " + tensor.tensor, lines.front(), {}, false};
    for (std::size_t r = 1; r < lines.size(); ++r) {
        table.rows.emplace_back();
        for (std::size_t c = 0; c < lines[r].size(); ++c) {
            table.rows.back().push_back(text(lines[r][c]));
            table.rows.back().back().number = c > 0;
        }
    }
    write_table(out, table);
}

}  // namespace

void write_case(std::ostream& out, const CaseReport& report, const std::string& id) {
    out << "<section class=\"case\" id=\"" << id << "\">\n<h2>" << markup_text(report.id) << " "
        << chip(report.verdict).html << "</h2>\n<p>" << markup_text(in_one_clause(report)) << ".</p>\n";
    for (const Explanation& explanation : report.explanations) {
        out << "<p class=\"mistake\">" << markup_text(explanation_text(explanation)) << "</p>\n";
    }
    if (const TensorReport* worst = worst_failure(report)) {
        write_worst(out, *worst);
        write_regions(out, *worst);
    }
    write_tensors(out, report);
    if (!report.repro.empty()) {
        out << "<p>Repeat with</p>\n<pre class=\"copy\"><code>" << markup_text(report.repro) << "</code></pre>\n";
    }
    out << "</section>\n";
}

}  // namespace dca::verify::html
