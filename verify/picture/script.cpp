#include "verify/picture/script.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace dca::picture {
namespace {

/// Room for labels and tics around the cells, in pixels.
constexpr int around = 76;

/// Cells of 14 pixels where they fit between the bounds.
int side(std::int64_t cells, int least, int most) {
    return static_cast<int>(std::clamp<std::int64_t>(cells * 14, least, most));
}

std::string quoted(std::string_view color) {
    return "'" + std::string(color) + "'";
}

std::string data_block(const std::string& name, const std::vector<double>& values, std::int64_t columns) {
    std::string text = "$" + name + " << EOD\n";
    for (std::size_t i = 0; i < values.size(); ++i) {
        text += number(values[i]) + ((i + 1) % static_cast<std::size_t>(columns) == 0 ? "\n" : " ");
    }
    return text + "EOD\n";
}

std::string ranges(const Axis& rows, const Axis& columns) {
    return "set xrange [0:" + std::to_string(columns.cells) + "]\nset yrange [" + std::to_string(rows.cells) + ":0]\n" +
           "set xlabel " + label(columns.label) + "\nset ylabel " + label(rows.label) + "\n";
}

/// The largest finite value, at least `least`.
double largest(const std::vector<double>& values, double least) {
    double result = least;
    for (const double value : values) {
        if (std::isfinite(value)) result = std::max(result, value);
    }
    return result;
}

/// Intervals [first, last) of what is marked.
std::vector<std::pair<double, double>> runs(const std::vector<bool>& marked) {
    std::vector<std::pair<double, double>> result;
    for (std::size_t i = 0; i < marked.size(); ++i) {
        if (!marked[i]) continue;
        if (i == 0 || !marked[i - 1]) result.emplace_back(static_cast<double>(i), 0);
        result.back().second = static_cast<double>(i + 1);
    }
    return result;
}

}  // namespace

std::string label(std::string_view text, std::size_t longest) {
    std::string result = "'";
    for (const char c : text.substr(0, longest)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view(" _.+-/()|%").find(c) != std::string_view::npos;
        result += plain ? c : '?';
    }
    return result + "'";
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", std::clamp(value, -1e300, 1e300));
    return text;
}

std::string prologue(int width, int height) {
    return "set terminal svg size " + std::to_string(width) + "," + std::to_string(height) +
           " dynamic noenhanced font 'sans-serif,13'\nset encoding utf8\nunset key\nset border 3 lc rgb " +
           quoted(ink) + "\nset tics nomirror out scale 0.5 textcolor rgb " + quoted(ink) +
           "\nset xlabel textcolor rgb " + quoted(ink) + "\nset ylabel textcolor rgb " + quoted(ink) +
           "\nset cblabel textcolor rgb " + quoted(ink) + "\n";
}

std::string tics(char axis, const Axis& cells, int most) {
    std::int64_t every = 1;
    if (cells.names.empty()) {
        // 1, 2, 5, 10, 20, ...
        for (int factor = 0; (cells.cells + every - 1) / every > most; factor = (factor + 1) % 3) {
            every = factor == 1 ? every / 2 * 5 : every * 2;
        }
    }
    std::string text = std::string("set ") + axis + "tics ";
    if (axis == 'x' && !cells.names.empty()) text += "rotate by -60 ";
    text += "(";
    for (std::int64_t c = 0; c < cells.cells; c += every) {
        const std::string name = cells.names.empty() ? std::to_string(cells.first + c * cells.step)
                                                     : cells.names[static_cast<std::size_t>(c)];
        // A cell's number stands at its middle where every cell has one, else at its beginning, like a ruler.
        const double at = static_cast<double>(c) + (every == 1 && cells.step == 1 ? 0.5 : 0.0);
        text +=
            (c > 0 ? ", " : "") + label(name) + " " + number(cells.names.empty() ? at : static_cast<double>(c) + 0.5);
    }
    return text + ")\n";
}

std::string script(const HeatMap& map) {
    const double low = map.line / 32, high = largest(map.values, map.line * 32) * 1.001;
    // gnuplot draws no image of a single row or column of points: such a cell is drawn as two halves.
    const std::int64_t across = map.columns.cells == 1 ? 2 : 1, down = map.rows.cells == 1 ? 2 : 1;
    std::vector<double> shown;
    shown.reserve(map.values.size() * static_cast<std::size_t>(across * down));
    for (std::int64_t row = 0; row < map.rows.cells * down; ++row) {
        for (std::int64_t column = 0; column < map.columns.cells * across; ++column) {
            const double value = map.values[static_cast<std::size_t>(row / down * map.columns.cells + column / across)];
            shown.push_back(std::isnan(value) ? value : std::clamp(value, low, high));
        }
    }
    const double split = std::log(map.line / low) / std::log(high / low);
    const auto at = [&](double fraction) { return number(split + (1 - split) * fraction); };
    const bool named = !map.rows.names.empty() || !map.columns.names.empty();
    const int width = named ? 960 : 480;
    const int height = side(map.rows.cells, 120, named ? 1200 : 280) + around + (named ? 110 : 0);
    return prologue(width, height) + data_block("cells", shown, map.columns.cells * across) +
           ranges(map.rows, map.columns) + tics('x', map.columns, 8) + tics('y', map.rows, 10) +
           "set logscale cb\nset cbrange [" + number(low) + ":" + number(high) + "]\nset cblabel " + label(map.unit) +
           "\nset format cb '%g'\n" + "set palette defined (0 '#e4eef8', " + number(split * 0.999) + " '#5a9bd4', " +
           number(split) + " '#ffd75e', " + at(0.35) + " '#ef7f2e', " + at(0.7) + " '#c0261c', 1 '#701010')\n" +
           "plot $cells matrix using (($1+0.5)/" + std::to_string(across) + "):(($2+0.5)/" + std::to_string(down) +
           "):3 with image\n";
}

std::string script(const Octaves& octaves) {
    std::size_t first = octaves.counts.size(), last = 0;
    for (std::size_t k = 0; k < octaves.counts.size(); ++k) {
        if (octaves.counts[k] == 0) continue;
        first = std::min(first, k);
        last = k;
    }
    const double line = std::log2(octaves.line);
    // From the first bar, or three octaves below the line, to the last, or the line.
    const double low = std::min<double>(octaves.first_exponent + static_cast<double>(first), std::floor(line) - 3);
    const double high = std::max<double>(octaves.first_exponent + static_cast<double>(last) + 1, std::ceil(line) + 1);
    std::string data = "$bars << EOD\n";
    double most = 1;
    for (std::size_t k = 0; k < octaves.counts.size(); ++k) {
        const auto count = static_cast<double>(octaves.counts[k]);
        most = std::max(most, count);
        if (octaves.counts[k] > 0) {
            data += number(octaves.first_exponent + static_cast<double>(k) + 0.5) + " " + number(count) + "\n";
        }
    }
    data += "EOD\n";
    std::string x_tics = "set xtics (";
    const int every = high - low > 16 ? 4 : high - low > 8 ? 2 : 1;
    for (int exponent = static_cast<int>(low); exponent <= high; ++exponent) {
        if (exponent % every != 0) continue;
        const std::string power = std::to_string(std::int64_t{1} << std::abs(exponent));
        x_tics +=
            (x_tics.back() == '(' ? "" : ", ") + label((exponent < 0 ? "1/" : "") + power) + " " + number(exponent);
    }
    return prologue(480, 260) + data + "set xrange [" + number(low) + ":" + number(high) +
           "]\nset yrange [0.5:" + number(most * 3) + "]\nset logscale y\nset format y '%.0s%c'\nset xlabel " +
           label(octaves.label) + "\nset ylabel " + label(octaves.count_label) + "\n" + x_tics +
           ")\nset style fill solid 1.0\nset boxwidth 0.9\n" + "set arrow from " + number(line) + ",graph 0 to " +
           number(line) + ",graph 1 nohead lw 2 lc rgb " + quoted(alarm) + "\nset label " +
           label("line " + number(octaves.line)) + " at " + number(line) + ",graph 0.97 offset 0.5,0 textcolor rgb " +
           quoted(alarm) + "\nplot $bars using 1:2 with boxes lc rgb " + quoted(accent) + "\n";
}

std::string script(const Mosaic& mosaic) {
    std::string data = "$cells << EOD\n";
    for (std::int64_t r = 0; r < mosaic.rows.cells; ++r) {
        for (std::int64_t c = 0; c < mosaic.columns.cells; ++c) {
            const auto& cell = mosaic.cells[static_cast<std::size_t>(r * mosaic.columns.cells + c)];
            const Mosaic::Color color = cell.value_or(Mosaic::Color{});
            data += std::to_string(c) + ".5 " + std::to_string(r) + ".5 " + std::to_string(color.red) + " " +
                    std::to_string(color.green) + " " + std::to_string(color.blue) + (cell ? " 255\n" : " 0\n");
        }
    }
    data += "EOD\n";
    const double columns = static_cast<double>(mosaic.columns.cells), rows = static_cast<double>(mosaic.rows.cells);
    std::string objects;
    const auto bar = [&](double x0, double y0, double x1, double y1) {
        objects += "set object rectangle from " + number(x0) + "," + number(y0) + " to " + number(x1) + "," +
                   number(y1) + " fs solid 1.0 noborder fc rgb " + quoted(alarm) + "\n";
    };
    // Marks stand in a margin of a thirtieth of the picture, left of the rows and above the columns.
    for (const auto& [first, last] : runs(mosaic.marked_rows)) bar(-columns / 24, first, -columns / 120, last);
    for (const auto& [first, last] : runs(mosaic.marked_columns)) bar(first, -rows / 24, last, -rows / 120);
    for (const Mosaic::Line& one : mosaic.lines) {
        objects += "set arrow from " + number(one.x0) + "," + number(one.y0) + " to " + number(one.x1) + "," +
                   number(one.y1) + " nohead front lw 1 lc rgb " + quoted(ink) + "\n";
    }
    // Square cells where that is neither flat nor tall; 400 pixels are left for the columns.
    const int height = static_cast<int>(std::clamp(400 * rows / columns, 80.0, 400.0)) + around;
    return prologue(480, height) + data + ranges(mosaic.rows, mosaic.columns) + "set xrange [" + number(-columns / 20) +
           ":" + number(columns) + "]\nset yrange [" + number(rows) + ":" + number(-rows / 20) + "]\n" +
           tics('x', mosaic.columns, 10) + tics('y', mosaic.rows, 12) + objects +
           "plot $cells using 1:2:3:4:5:6 with rgbalpha\n";
}

}  // namespace dca::picture
