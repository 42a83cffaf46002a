// The heat map is one path per mode and shade, so that a picture of 512 rows stays around 2 MB.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "verify/cli/positions.hpp"

namespace dca::cli {
namespace {

constexpr int margin_left = 52, margin_top = 76, margin_right = 24, legend_height = 116;
constexpr int min_width = 400, digit_width = 7;

/// Hues that differ for every kind of colour vision: blue, orange, purple.
int hue(Mode mode) {
    switch (mode) {
        case Mode::intra: return 212;
        case Mode::succ: return 32;
        case Mode::inter: return 285;
    }
    return 0;
}

const char* description(Mode mode) {
    switch (mode) {
        case Mode::intra: return "intra: the same chunk";
        case Mode::succ: return "succ: the chunk before";
        case Mode::inter: return "inter: farther back";
    }
    return "";
}

/// Lightness in per cent: from 86 at relative position 0 down to 36.
int lightness(double relative, double largest) {
    return 86 - static_cast<int>(largest > 0 ? 50 * std::clamp(relative / largest, 0.0, 1.0) : 0);
}

struct Color {
    int red, green, blue;
    [[nodiscard]] std::string text() const {
        return "rgb(" + std::to_string(red) + "," + std::to_string(green) + "," + std::to_string(blue) + ")";
    }
    /// Whether white text reads better on it than dark text (luma below the middle).
    [[nodiscard]] bool dark() const { return 299 * red + 587 * green + 114 * blue < 128 * 1000; }
};

/// A hue at 70 per cent saturation; hsl() itself is not understood by every SVG viewer.
Color color(Mode mode, int light) {
    const double l = light / 100.0, chroma = (1 - std::abs(2 * l - 1)) * 0.7;
    const auto channel = [&](int shift) {
        const double k = ((hue(mode) + shift) % 360) / 60.0;
        const double value = l - chroma / 2 + chroma * std::clamp(2 - std::abs(k - 2), 0.0, 1.0);
        return static_cast<int>(value * 255 + 0.5);
    };
    return {channel(120), channel(0), channel(240)};
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}

/// An integer as such, a fraction to four digits: a cell is small.
std::string cell_text(double relative) {
    if (relative == std::trunc(relative)) return exact_text(relative);
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.4g", relative);
    return buffer.data();
}

/// What the drawing depends on besides the single pairs.
struct Layout {
    explicit Layout(const PositionTable& table) : n(table.seq_len()), stride(table.chunk_len()), numbered(n <= 32) {
        std::size_t widest = 1;
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j <= i; ++j) {
                const double relative = table.pair(i, j).relative();
                largest = std::max(largest, relative);
                if (numbered) widest = std::max(widest, cell_text(relative).size());
            }
        }
        cell = numbered ? std::max(26, digit_width * static_cast<int>(widest) + 8)
                        : std::max(2, static_cast<int>(640 / n));
        side = cell * static_cast<int>(n);
    }

    std::int64_t n, stride;
    bool numbered;  ///< longer tables have no room for a number in each cell
    double largest = 0;
    int cell = 0, side = 0;  ///< in pixels
};

void write_head(std::ostream& out, const PositionTable& table, const Layout& layout) {
    constexpr const char* heading = "Relative position of query i (row) and key j (column)";
    const std::string title = table.title();
    const int width = std::max(
        {margin_left + layout.side + margin_right, min_width, digit_width * static_cast<int>(title.size()) + 32});
    const int height = margin_top + layout.side + legend_height;
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
        << width << "\" height=\"" << height << "\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n"
        << "<title>" << heading << ": " << title << "</title>\n<style>\n"
        << ".page{fill:#ffffff}.ink{fill:#1f2328}.border{stroke:#1f2328}\n"
        << "@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.border{stroke:#e6edf3}}\n"
        << "</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
        << "<text class=\"ink\" x=\"16\" y=\"24\" font-size=\"14\">" << heading << "</text>\n"
        << "<text class=\"ink\" x=\"16\" y=\"43\">" << title << "</text>\n";
}

/// The coloured cells, in units of one cell.
void write_cells(std::ostream& out, const PositionTable& table, const Layout& layout) {
    std::map<std::pair<Mode, int>, std::string> paths;
    for (std::int64_t i = 0; i < layout.n; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = table.pair(i, j);
            paths[{pair.mode, lightness(pair.relative(), layout.largest)}] +=
                "M" + number(j) + " " + number(i) + "h1v1h-1z";
        }
    }
    for (const auto& [key, path] : paths) {
        out << "<path fill=\"" << color(key.first, key.second).text() << "\" d=\"" << path << "\"/>\n";
    }
}

/// Lines where a chunk of queries or of keys begins; left out where they would hide the cells.
void write_borders(std::ostream& out, const Layout& layout) {
    if (layout.stride * layout.cell < 6) return;
    out << "<path class=\"border\" fill=\"none\" stroke-width=\"" << 1.5 / layout.cell << "\" d=\"";
    for (std::int64_t at = layout.stride; at < layout.n; at += layout.stride) {
        out << "M0 " << at << "H" << at << "V" << layout.n;
    }
    out << "\"/>\n";
}

void write_numbers(std::ostream& out, const PositionTable& table, const Layout& layout) {
    const int cell = layout.cell;
    for (std::int64_t i = 0; i < layout.n; ++i) {
        const std::int64_t y = margin_top + i * cell + cell / 2 + 4;
        out << "<text class=\"ink\" x=\"" << margin_left - 6 << "\" y=\"" << y << "\" text-anchor=\"end\">" << i
            << "</text><text class=\"ink\" x=\"" << margin_left + i * cell + cell / 2 << "\" y=\"" << margin_top - 6
            << "\" text-anchor=\"middle\">" << i << "</text>\n";
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = table.pair(i, j);
            const Color background = color(pair.mode, lightness(pair.relative(), layout.largest));
            out << "<text x=\"" << margin_left + j * cell + cell / 2 << "\" y=\"" << y
                << "\" text-anchor=\"middle\" fill=\"" << (background.dark() ? "#ffffff" : "#1f2328") << "\">"
                << cell_text(pair.relative()) << "</text>";
        }
        out << '\n';
    }
}

void write_ticks(std::ostream& out, const Layout& layout) {
    // Round steps that leave about 40 pixels between labels.
    std::int64_t step = 1;
    for (int factor = 0; step * layout.cell < 40; factor = (factor + 1) % 3) step = step * (factor == 1 ? 5 : 4) / 2;
    for (std::int64_t i = 0; i < layout.n; i += step) {
        const std::int64_t at = i * layout.cell;
        out << "<text class=\"ink\" x=\"" << margin_left - 6 << "\" y=\"" << margin_top + at + 4
            << "\" text-anchor=\"end\">" << i << "</text><text class=\"ink\" x=\"" << margin_left + at << "\" y=\""
            << margin_top - 6 << "\" text-anchor=\"middle\">" << i << "</text>\n";
    }
}

void write_legend(std::ostream& out, const Layout& layout) {
    constexpr int steps = 10, step_width = 12, height = 14;
    int y = margin_top + layout.side + 24;
    for (Mode mode : all_modes) {
        for (int s = 0; s < steps; ++s) {
            out << "<rect x=\"" << 16 + s * step_width << "\" y=\"" << y << "\" width=\"" << step_width
                << "\" height=\"" << height << "\" fill=\"" << color(mode, lightness(s, steps - 1)).text() << "\"/>";
        }
        out << "<text class=\"ink\" x=\"" << 16 + steps * step_width + 10 << "\" y=\"" << y + 12 << "\">"
            << description(mode) << "</text>\n";
        y += height + 6;
    }
    out << "<text class=\"ink\" x=\"16\" y=\"" << y + 8 << "\">0</text><text class=\"ink\" x=\""
        << 16 + steps * step_width << "\" y=\"" << y + 8 << "\" text-anchor=\"end\">" << cell_text(layout.largest)
        << "</text><text class=\"ink\" x=\"" << 16 + steps * step_width + 10 << "\" y=\"" << y + 8
        << "\">relative position</text>\n";
}

}  // namespace

void write_positions_svg(std::ostream& out, const PositionTable& table) {
    const Layout layout(table);
    write_head(out, table, layout);
    out << "<g transform=\"translate(" << margin_left << ' ' << margin_top << ") scale(" << layout.cell
        << ")\" shape-rendering=\"crispEdges\">\n";
    write_cells(out, table, layout);
    write_borders(out, layout);
    out << "</g>\n";
    if (layout.numbered) {
        write_numbers(out, table, layout);
    } else {
        write_ticks(out, layout);
    }
    write_legend(out, layout);
    out << "</svg>\n";
}

}  // namespace dca::cli
