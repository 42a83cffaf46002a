#include "verify/report/html_pictures.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "verify/report/format.hpp"
#include "verify/report/html_parts.hpp"
#include "verify/report/position_matrix.hpp"
#include "verify/report/printable.hpp"

namespace dca::verify::html {
namespace {

/// What a grid's values are held against: a row's line; where there is no row rule, an element's.
double line_of(const TensorReport& tensor) {
    return tensor.row_line > 0 ? tensor.row_line : tensor.element_line;
}

std::string cell_name(const std::string& axis, std::int64_t cell, std::int64_t step) {
    const std::string first = std::to_string(cell * step);
    return axis + " " + (step > 1 ? first + " to " + std::to_string((cell + 1) * step - 1) : first);
}

struct GridCell {
    std::int64_t row = 0, column = 0;
    double value = 0;
};

/// The largest cells, largest first, at most `most`; of equal ones the first.
std::vector<GridCell> largest_cells(const ErrorGrid& grid, std::size_t most) {
    std::vector<GridCell> cells;
    for (std::int64_t r = 0; r < grid.rows; ++r) {
        for (std::int64_t c = 0; c < grid.columns; ++c) {
            const double value = grid.values[static_cast<std::size_t>(r * grid.columns + c)];
            if (!std::isnan(value)) cells.push_back({r, c, value});
        }
    }
    std::stable_sort(cells.begin(), cells.end(),
                     [](const GridCell& a, const GridCell& b) { return a.value > b.value; });
    cells.resize(std::min(most, cells.size()));
    return cells;
}

bool sound(const ErrorGrid& grid) {
    return grid.rows > 0 && grid.columns > 0 &&
           grid.values.size() == static_cast<std::size_t>(grid.rows * grid.columns);
}

void write_grid(std::ostream& out, const TensorReport& tensor, const ErrorGrid& grid, const std::string& id,
                picture::Plotter* plotter) {
    if (!sound(grid)) return;
    const std::string what = tensor.tensor + ": " + grid.title + " by " + grid.row_axis + " and " + grid.column_axis;
    const std::vector<GridCell> worst = largest_cells(grid, 10);
    const double line = line_of(tensor);
    std::optional<picture::Svg> svg;
    if (plotter != nullptr) {
        svg = plotter->draw(picture::HeatMap{{grid.row_axis, grid.rows, grid.row_step, 0, {}},
                                             {grid.column_axis, grid.columns, grid.column_step, 0, {}},
                                             grid.values,
                                             line,
                                             grid.unit});
    }
    if (!svg) {
        Table table{what + ", the largest", {grid.row_axis, grid.column_axis, grid.unit}, {}, false, false};
        for (const GridCell& cell : worst) {
            table.rows.push_back({text(cell_name("", cell.row, grid.row_step)),
                                  text(cell_name("", cell.column, grid.column_step)), number(cell.value)});
        }
        if (!table.rows.empty()) write_table(out, table);
        return;
    }
    std::string caption =
        "In " + grid.unit + "; blue passes (up to " + short_number(line) + "), yellow to dark red does not.";
    if (!worst.empty()) {
        caption += " Largest: " + short_number(worst[0].value) + " at " +
                   cell_name(grid.row_axis, worst[0].row, grid.row_step) + ", " +
                   cell_name(grid.column_axis, worst[0].column, grid.column_step) + ".";
    }
    write_figure(out, *svg, id, what, caption);
}

std::string octave_name(std::size_t k) {
    const int exponent = RatioHistogram::first_exponent + static_cast<int>(k);
    return short_number(std::ldexp(1.0, exponent)) + " to " + short_number(std::ldexp(1.0, exponent + 1));
}

void write_histogram(std::ostream& out, const TensorReport& tensor, const std::string& id, picture::Plotter* plotter) {
    const RatioHistogram& histogram = tensor.histogram;
    const bool any = std::any_of(histogram.counts.begin(), histogram.counts.end(), [](auto n) { return n > 0; });
    if (!any) return;
    const std::string what = tensor.tensor + ": how many elements are how far off";
    std::optional<picture::Svg> svg;
    if (plotter != nullptr) {
        svg = plotter->draw(picture::Octaves{RatioHistogram::first_exponent,
                                             {histogram.counts.begin(), histogram.counts.end()},
                                             tensor.element_line,
                                             "error / sigma",
                                             "elements"});
    }
    if (!svg) {
        Table table{what, {"error / sigma", "elements"}, {}, false, false};
        for (std::size_t k = 0; k < histogram.counts.size(); ++k) {
            if (histogram.counts[k] > 0) table.rows.push_back({text(octave_name(k)), count(histogram.counts[k])});
        }
        write_table(out, table);
        return;
    }
    write_figure(out, *svg, id, what,
                 "The line is the largest ratio that passes. Besides, " + std::to_string(histogram.exact) +
                     " elements without any error and " + std::to_string(histogram.nonfinite) +
                     " that differ in being finite.");
}

void write_matrix(std::ostream& out, const CaseReport& report, const std::string& id, picture::Plotter* plotter) {
    if (plotter == nullptr) return;
    const std::optional<PositionMatrix> matrix = position_matrix(report);
    if (!matrix) return;
    if (const std::optional<picture::Svg> svg = plotter->draw(matrix->mosaic)) {
        write_figure(out, *svg, id, "Position matrix with the failing rows",
                     "Blue: same chunk (intra); orange: the chunk before (succ); purple: farther back (inter); darker: "
                     "farther apart. Red at the margin: query rows (left) and key rows (top) that failed. " +
                         matrix->words + ".");
    }
}

}  // namespace

void write_figure(std::ostream& out, const picture::Svg& svg, const std::string& id, const std::string& what,
                  const std::string& caption, bool wide) {
    out << "<figure" << (wide ? " class=\"wide\" tabindex=\"0\"" : "") << ">\n<svg viewBox=\"0 0 " << svg.width << ' '
        << svg.height << "\" role=\"img\" aria-labelledby=\"" << id << "-t " << id
        << "-d\" font-family=\"system-ui,sans-serif\" "
        << "xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"" << id << "-t\">" << markup_text(what)
        << "</title><desc id=\"" << id << "-d\">" << markup_text(caption) << "</desc>\n"
        << svg.body << "</svg>\n<figcaption><b>" << markup_text(what) << ".</b> " << markup_text(caption)
        << "</figcaption>\n</figure>\n";
}

void write_pictures(std::ostream& out, const CaseReport& report, const std::string& id, picture::Plotter* plotter) {
    out << "<div class=\"pictures\">\n";
    int number = 0;
    const auto next = [&] { return id + "-picture-" + std::to_string(++number); };
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict != Verdict::failed) continue;
        for (const ErrorGrid& grid : tensor.grids) write_grid(out, tensor, grid, next(), plotter);
        write_histogram(out, tensor, next(), plotter);
    }
    write_matrix(out, report, next(), plotter);
    out << "</div>\n";
}

}  // namespace dca::verify::html
