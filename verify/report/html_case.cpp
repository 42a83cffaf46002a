// A case that did not pass: what is wrong, where, what it looks like, how to see it again.
#include <algorithm>
#include <limits>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/html_pictures.hpp"
#include "verify/report/printable.hpp"
#include "verify/report/summary.hpp"

namespace dca::verify::html {
namespace {

void write_fact(std::ostream& out, std::string_view term, const std::string& words) {
    out << "<dt>" << term << "</dt><dd>" << markup_text(words) << "</dd>";
}

void write_tensors(std::ostream& out, const CaseReport& report) {
    if (report.tensors.empty()) return;
    Table table{"Tensors", {"tensor", "verdict", "worst element", "worst row", "what"}, {}, false, false};
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
    if (tensor.golden_accuracy) {
        const GoldenAccuracy& golden = *tensor.golden_accuracy;
        write_fact(out, "golden",
                   golden.correctly_rounded ? "the nearest double, proven"
                   : golden.error_radius < std::numeric_limits<double>::infinity()
                       ? std::string(golden.proven ? "proven" : "measured") + " to " + short_number(golden.error_radius)
                       : "how exact the expected value is, is not known");
    }
    out << "</dl>\n";
}

void write_regions(std::ostream& out, const TensorReport& tensor) {
    const auto lines = region_table(tensor);
    Table table{"Regions of " + tensor.tensor, lines.front(), {}, false, false};
    for (std::size_t r = 1; r < lines.size(); ++r) {
        table.rows.emplace_back();
        for (std::size_t c = 0; c < lines[r].size(); ++c) {
            table.rows.back().push_back(text(lines[r][c]));
            table.rows.back().back().number = c > 0;
        }
    }
    write_table(out, table);
}

void write_problem(std::ostream& out, const CaseReport& report) {
    if (!report.problem) return;
    const Problem& problem = *report.problem;
    const Shape& shape = problem.shape;
    out << "<p class=\"quiet\">" << markup_text(report.dtype) << ", dialect " << markup_text(problem.dialect)
        << ", chunk_size " << problem.chunk.chunk_size << ", local_size " << problem.chunk.local_size << ", batch "
        << shape.batch << ", " << shape.seq_q << " queries of " << shape.seq_k << " keys"
        << (problem.packed() ? " (packed)" : "") << ", heads " << shape.heads_q << " / " << shape.heads_kv
        << ", head_dim " << shape.head_dim;
    if (report.seconds > 0) out << ", " << short_number(report.seconds) << " s";
    out << "</p>\n";
}

/// How the error energy of a tensor is spread over its parts; the largest eight.
void write_shares(std::ostream& out, const std::string& caption, std::vector<EnergyShare> shares) {
    if (shares.size() < 2) return;
    std::stable_sort(shares.begin(), shares.end(),
                     [](const EnergyShare& a, const EnergyShare& b) { return a.share > b.share; });
    Table table{caption, {"part", "share", "rms error", "rows", "bad"}, {}, false, false};
    for (std::size_t i = 0; i < std::min<std::size_t>(8, shares.size()); ++i) {
        const EnergyShare& one = shares[i];
        table.rows.push_back({text(one.part),
                              {short_number(100 * one.share) + " %", true, {}},
                              number(one.rms_ratio),
                              count(one.rows),
                              count(one.bad_rows)});
    }
    write_table(out, table);
}

void write_where(std::ostream& out, const CaseReport& report) {
    if (report.localisations.empty()) return;
    out << "<h3>Where it is wrong</h3>\n";
    for (const Localisation& one : report.localisations) {
        if (!one.findings.empty()) {
            out << "<ul>\n";
            for (const std::string& finding : one.findings) {
                out << "<li>" << markup_text(one.tensor + ": " + finding) << "</li>\n";
            }
            out << "</ul>\n";
        }
        out << "<details><summary>Error energy of " << markup_text(one.tensor)
            << "</summary>\n<div class=\"pictures\">\n";
        write_shares(out, one.tensor + " by region", one.by_region);
        write_shares(out, one.tensor + " by chunk", one.by_chunk);
        write_shares(out, one.tensor + " by head", one.by_head);
        write_shares(out, one.tensor + " by distance to a chunk border", one.by_border_distance);
        out << "</div>\n</details>\n";
    }
}

}  // namespace

void write_case(std::ostream& out, const CaseReport& report, const std::string& id, picture::Plotter* plotter) {
    out << "<section class=\"case\" id=\"" << id << "\">\n<h2>" << breakable(report.id) << " "
        << chip(report.verdict).html << "</h2>\n<p>" << markup_text(in_one_clause(report)) << ".</p>\n";
    write_problem(out, report);
    for (const Explanation& explanation : report.explanations) {
        out << "<p class=\"mistake\">" << markup_text(explanation_text(explanation)) << ".</p>\n";
    }
    if (!report.waiver.empty()) out << "<p>Waiver: " << markup_text(report.waiver) << "</p>\n";
    for (const std::string& line : fingerprint_warnings(report)) {
        out << "<p class=\"mistake\">" << markup_text(line) << "</p>\n";
    }
    if (const TensorReport* worst = worst_failure(report)) {
        write_worst(out, *worst);
        write_regions(out, *worst);
    }
    write_where(out, report);
    write_pictures(out, report, id, plotter);
    write_tensors(out, report);
    if (!report.repro.empty()) {
        out << "<p>Repeat with</p>\n<pre class=\"copy\"><code>" << markup_text(report.repro) << "</code></pre>\n";
    }
    out << "</section>\n";
}

}  // namespace dca::verify::html
