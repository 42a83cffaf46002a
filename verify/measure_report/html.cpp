// The page: verdict, claims, a picture of each fit, the tables.
#include <ostream>

#include "verify/measure_report/plots.hpp"
#include "verify/measure_report/tables.hpp"
#include "verify/measure_report/writers.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/html_pictures.hpp"
#include "verify/report/printable.hpp"

namespace dca::measure {
namespace {

namespace html = verify::html;
using verify::markup_text;

std::string_view tone(ClaimOutcome outcome) {
    switch (outcome) {
        case ClaimOutcome::pass: return "pass";
        case ClaimOutcome::fail: return "fail";
        case ClaimOutcome::inconclusive: return "warn";
    }
    return "fail";
}

std::string_view tone(RunOutcome outcome) {
    switch (outcome) {
        case RunOutcome::passed: return "pass";
        case RunOutcome::inconclusive: return "warn";
        case RunOutcome::failed:
        case RunOutcome::broken: return "fail";
    }
    return "fail";
}

html::Table table_of(const Cells& cells, const std::string& caption) {
    html::Table table;
    table.caption = caption;
    table.header = cells.front();
    for (std::size_t r = 1; r < cells.size(); ++r) {
        std::vector<html::Cell>& row = table.rows.emplace_back();
        for (const std::string& cell : cells[r]) row.push_back(html::text(cell));
    }
    return table;
}

void write_claims(std::ostream& out, const MeasureReport& report) {
    if (report.claims.empty()) return;
    html::Table table;
    table.caption = "Claims";
    table.header = {"claim", "verdict", "candidate", "measured", "why", "who says so"};
    table.sortable = table.cards = true;
    for (const ClaimReport& claim : report.claims) {
        const ClaimVerdict& verdict = claim.verdict;
        const html::Cell chip{"<span class=\"chip " + std::string(tone(verdict.outcome)) + "\">" +
                                  std::string(name(verdict.outcome)) + "</span>" +
                                  (as_expected(claim) ? "" : " " + markup_text(expectation_text(claim))),
                              false, std::to_string(static_cast<int>(verdict.outcome))};
        table.rows.push_back(
            {html::text(verdict.claim), chip, html::text(verdict.candidate),
             html::text(verdict.measured ? verdict.measured_name + ": " + estimate_text(*verdict.measured)
                                         : "not measured"),
             html::text(reason_text(verdict)), html::text(claim.source)});
    }
    out << "<section>\n<h2>Claims</h2>\n";
    html::write_table(out, table);
    out << "</section>\n";
}

void write_fits(std::ostream& out, const MeasureReport& report, picture::Plotter* plotter) {
    if (report.fits.empty()) return;
    out << "<section>\n<h2>Fits</h2>\n";
    html::write_table(out, table_of(fit_table(report), "Fits, intervals at 90 %"));
    out << "<div class=\"pictures\">\n";
    for (std::size_t f = 0; f < report.fits.size() && plotter != nullptr; ++f) {
        const std::optional<picture::LogPlot> drawing = plot(report, report.fits[f]);
        const std::optional<picture::Svg> svg = drawing ? plotter->draw(*drawing) : std::nullopt;
        if (!svg) continue;
        const std::string what = report.ladders.at(report.fits[f].ladder).candidate + ": " + drawing->y_label;
        html::write_figure(out, *svg, "fit-" + std::to_string(f + 1), what, plot_caption(report, report.fits[f]));
    }
    out << "</div>\n</section>\n";
}

}  // namespace

void write_html(std::ostream& out, const MeasureReport& report, bool pictures) {
    std::optional<picture::Plotter> plotter;
    if (pictures) plotter.emplace();
    const bool draws = plotter && !plotter->version().empty();
    html::write_head(out, headline_word(report) + ": " + headline_text(report));
    out << "<header class=\"verdict " << tone(outcome(report)) << "\">\n<h1>" << headline_word(report) << "</h1>\n<p>"
        << markup_text(headline_text(report)) << "</p>\n</header>\n<dl class=\"facts\"><dt>machine</dt><dd>"
        << markup_text(report.machine) << "</dd><dt>command</dt><dd>" << markup_text(report.command) << "</dd></dl>\n";
    write_claims(out, report);
    write_fits(out, report, draws ? &*plotter : nullptr);
    out << "<section>\n<h2>What was measured</h2>\n";
    for (const Ladder& ladder : report.ladders) html::write_table(out, table_of(point_table(ladder), heading(ladder)));
    out << "</section>\n<section>\n<h2>Notes</h2>\n<ul>\n";
    for (const std::string& line : remarks(report)) out << "<li>" << markup_text(line) << "</li>\n";
    for (const std::string& note : report.notes) out << "<li>" << markup_text(note) << "</li>\n";
    if (!draws) {
        out << "<li>pictures need gnuplot (package gnuplot-nox), which was not found or not asked for; the tables hold "
               "the same numbers</li>\n";
    }
    out << "</ul>\n</section>\n";
    html::write_foot(out);
}

}  // namespace dca::measure
