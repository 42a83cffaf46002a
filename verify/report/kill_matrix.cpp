#include "verify/report/kill_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <ostream>

#include "reference/spec/error.hpp"
#include "verify/report/format.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/html_pictures.hpp"
#include "verify/report/printable.hpp"

namespace dca::verify {
namespace {

using html::Table;
using Cell = KillMatrix::Cell;

/// What a row of the matrix says of its mutant.
struct Fate {
    std::size_t applies = 0, kills = 0, named = 0;  ///< cases; named: first or second among the explanations
    double largest = 0;
    std::string by;  ///< the case with the largest margin
};

Fate fate(const KillMatrix& matrix, std::size_t row) {
    Fate result;
    for (std::size_t c = 0; c < matrix.columns.size(); ++c) {
        const Cell& cell = matrix.cells[row * matrix.columns.size() + c];
        if (std::isnan(cell.margin)) continue;
        ++result.applies;
        result.kills += cell.margin > 1 ? 1 : 0;
        result.named += cell.margin > 1 && (cell.rank == 1 || cell.rank == 2) ? 1 : 0;
        if (result.by.empty() || cell.margin > result.largest) {
            result.largest = cell.margin;
            result.by = matrix.columns[c];
        }
    }
    return result;
}

html::Cell verdict(const Fate& fate) {
    if (fate.applies == 0) return {"<span class=\"chip warn\">no case</span>", false, "1"};
    if (fate.kills == 0) return {"<span class=\"chip fail\">missed</span>", false, "0"};
    return {"<span class=\"chip pass\">killed</span>", false, "2"};
}

void write_fates(std::ostream& out, const KillMatrix& matrix) {
    Table table;
    table.caption = "Mutants, " + matrix.title;
    table.header = {"mutant", "verdict", "killed by", "named", "largest margin", "by case", "what it does"};
    table.sortable = true;
    const bool asked = std::any_of(matrix.cells.begin(), matrix.cells.end(), [](const Cell& c) { return c.rank > 0; });
    std::vector<std::size_t> order(matrix.rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // What nobody caught comes first.
    std::stable_partition(order.begin(), order.end(), [&](std::size_t r) { return fate(matrix, r).kills == 0; });
    for (const std::size_t r : order) {
        const Fate one = fate(matrix, r);
        table.rows.push_back(
            {html::text(matrix.rows[r]), verdict(one), html::count(static_cast<std::int64_t>(one.kills)),
             html::text(!asked || one.kills == 0 ? "-"
                        : one.named > 0          ? "yes"
                                                 : "no"),
             html::number(one.largest), html::text(one.by), html::text(matrix.titles.empty() ? "" : matrix.titles[r])});
    }
    html::write_table(out, table);
}

void write_picture(std::ostream& out, const KillMatrix& matrix, const std::string& id, picture::Plotter& plotter) {
    picture::HeatMap map;
    map.rows = {"mutant", static_cast<std::int64_t>(matrix.rows.size()), 1, 0, matrix.rows};
    map.columns = {"case", static_cast<std::int64_t>(matrix.columns.size()), 1, 0, matrix.columns};
    for (const Cell& cell : matrix.cells) map.values.push_back(cell.margin);
    map.line = 1;
    map.unit = "margin";
    if (const std::optional<picture::Svg> svg = plotter.draw(map)) {
        html::write_figure(out, *svg, id, "Kill matrix, " + matrix.title,
                           "Yellow to dark red: the case kills the mutant, and by what factor; blue: it does not see "
                           "it; empty: the mutant does not apply.",
                           true);
    }
}

void write_cells(std::ostream& out, const KillMatrix& matrix) {
    Table table;
    table.caption = matrix.title + ", margins: above 1 killed; * named first, + named second";
    table.header = {"mutant"};
    for (const std::string& id : matrix.columns) table.header.push_back(id);
    for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
        table.rows.push_back({html::text(matrix.rows[r])});
        for (std::size_t c = 0; c < matrix.columns.size(); ++c) {
            const Cell& cell = matrix.cells[r * matrix.columns.size() + c];
            html::Cell shown = std::isnan(cell.margin) ? html::Cell{"", true, {}} : html::number(cell.margin);
            if (cell.margin > 1) {
                shown.html = "<b class=\"killed\">" + shown.html + "</b>" +
                             (cell.rank == 1   ? " *"
                              : cell.rank == 2 ? " +"
                                               : "");
            }
            table.rows.back().push_back(std::move(shown));
        }
    }
    html::write_table(out, table);
}

}  // namespace

void write_kill_matrix_html(std::ostream& out, const KillPage& page, const HtmlOptions& options) {
    for (const KillMatrix& matrix : page.matrices) {
        expects(matrix.cells.size() == matrix.rows.size() * matrix.columns.size(), "kill matrix: rows x columns cells");
        expects(matrix.titles.empty() || matrix.titles.size() == matrix.rows.size(),
                "kill matrix: a title for each row");
    }
    html::write_head(out, page.title);
    out << "<header class=\"verdict " << (page.passed ? "pass" : "fail") << "\">\n<h1>" << markup_text(page.title)
        << "</h1>\n<p>" << markup_text(page.summary) << "</p>\n</header>\n";
    std::optional<picture::Plotter> plotter;
    if (options.pictures) plotter.emplace();
    for (std::size_t i = 0; i < page.matrices.size(); ++i) {
        const KillMatrix& matrix = page.matrices[i];
        std::size_t killed = 0;
        for (std::size_t r = 0; r < matrix.rows.size(); ++r) killed += fate(matrix, r).kills > 0 ? 1 : 0;
        out << "<section>\n<h2>" << markup_text(matrix.title) << ": " << killed << " of " << matrix.rows.size()
            << " mutants killed</h2>\n";
        write_fates(out, matrix);
        if (plotter) write_picture(out, matrix, "matrix-" + std::to_string(i + 1), *plotter);
        out << "<details><summary>Every margin</summary>\n";
        write_cells(out, matrix);
        out << "</details>\n</section>\n";
    }
    html::write_foot(out);
}

}  // namespace dca::verify
