#include "verify/picture/picture.hpp"

#include <algorithm>
#include <cmath>

#include "verify/picture/filter_process.hpp"
#include "verify/picture/script.hpp"

namespace dca::picture {
namespace {

/// Its own settings only, no start-up file of the user or the system.
const std::vector<std::string> gnuplot{"gnuplot", "-d"};

/// A picture takes 30 ms.
constexpr std::chrono::milliseconds patience{10000};

bool has_cells(const Axis& rows, const Axis& columns, std::size_t cells) {
    constexpr std::int64_t most = 1 << 20;
    return rows.cells > 0 && columns.cells > 0 && rows.cells < most && columns.cells < most &&
           static_cast<std::size_t>(rows.cells * columns.cells) == cells;
}

}  // namespace

Plotter::Plotter() {
    version_ = run_filter({"gnuplot", "--version"}, {}, {.time = patience, .output = 1000}).value_or("");
    version_.erase(std::min(version_.find('\n'), version_.size()));
    if (!version_.starts_with("gnuplot ")) version_.clear();
}

std::optional<Svg> Plotter::draw(const HeatMap& map) {
    if (!has_cells(map.rows, map.columns, map.values.size()) || !(map.line > 0)) return std::nullopt;
    return run(script(map));
}

std::optional<Svg> Plotter::draw(const Octaves& octaves) {
    const bool any = std::any_of(octaves.counts.begin(), octaves.counts.end(), [](std::int64_t n) { return n > 0; });
    if (!any || !(octaves.line > 0)) return std::nullopt;
    return run(script(octaves));
}

std::optional<Svg> Plotter::draw(const Mosaic& mosaic) {
    if (!has_cells(mosaic.rows, mosaic.columns, mosaic.cells.size())) return std::nullopt;
    return run(script(mosaic));
}

std::optional<Svg> Plotter::draw(const LogPlot& plot) {
    const bool any = std::any_of(plot.marks.begin(), plot.marks.end(), [](const LogPlot::Mark& mark) {
        return mark.x > 0 && mark.y > 0 && std::isfinite(mark.x) && std::isfinite(mark.y);
    });
    return any ? run(script(plot)) : std::nullopt;
}

std::optional<Svg> Plotter::run(const std::string& commands) {
    if (version_.empty()) return std::nullopt;
    const std::optional<std::string> drawn = run_filter(gnuplot, commands, {.time = patience});
    std::optional<Svg> svg = drawn ? embeddable(*drawn) : std::nullopt;
    if (!svg) version_.clear();
    return svg;
}

}  // namespace dca::picture
