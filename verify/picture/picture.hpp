// Numbers -> pictures, drawn by gnuplot's SVG terminal where gnuplot is installed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verify/picture/log_plot.hpp"
#include "verify/picture/svg.hpp"

namespace dca::picture {

/// One side of a grid of cells. Labels reach gnuplot with what could mean something to it taken out.
struct Axis {
    std::string label;
    std::int64_t cells = 0;
    std::int64_t step = 1;  ///< cell c stands for rows [first + c step, first + (c + 1) step)
    std::int64_t first = 0;
    std::vector<std::string> names;  ///< of the cells, instead of numbers
};

/// Values against a line: pale to blue below it, yellow to dark red above. Logarithmic. NaN is left empty; what is
/// infinite has the last colour.
struct HeatMap {
    Axis rows, columns;
    std::vector<double> values;  ///< row-major
    double line = 0;             ///< > 0
    std::string unit;
};

/// Counts per octave: bar k holds the values in [2^(k + first_exponent), 2^(k + 1 + first_exponent)).
struct Octaves {
    int first_exponent = 0;
    std::vector<std::int64_t> counts;
    double line = 0;  ///< > 0, drawn
    std::string label, count_label;
};

/// Coloured cells with lines between some of them and some rows and columns marked at the margin.
struct Mosaic {
    struct Color {
        std::uint8_t red = 0, green = 0, blue = 0;
    };
    Axis rows, columns;
    std::vector<std::optional<Color>> cells;  ///< row-major
    std::vector<bool> marked_rows, marked_columns;
    struct Line {
        double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    };
    std::vector<Line> lines;  ///< in cells, x to the right and y down
};

class Plotter {
public:
    /// Asks gnuplot for its version.
    Plotter();
    /// "gnuplot 5.4 patchlevel 4"; empty where there is none.
    [[nodiscard]] const std::string& version() const { return version_; }

    /// Nothing where there is no gnuplot, it fails, or the picture has no cells. After a failure no more is tried.
    [[nodiscard]] std::optional<Svg> draw(const HeatMap& map);
    [[nodiscard]] std::optional<Svg> draw(const Octaves& octaves);
    [[nodiscard]] std::optional<Svg> draw(const Mosaic& mosaic);
    [[nodiscard]] std::optional<Svg> draw(const LogPlot& plot);

private:
    [[nodiscard]] std::optional<Svg> run(const std::string& script);

    std::string version_;
};

}  // namespace dca::picture
