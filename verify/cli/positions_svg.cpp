// The heat map is one path per mode and relative position, so that a picture of 512 rows stays around 2 MB.
#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "verify/cli/positions.hpp"

namespace dca::cli {
namespace {

constexpr int margin_left = 52, margin_top = 76, margin_right = 24, legend_height = 116;
constexpr int min_width = 400;
constexpr std::int64_t max_numbered_length = 32;  // longer tables have no room for a number in each cell

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
int lightness(std::int64_t relative, std::int64_t largest) {
    return 86 - static_cast<int>(largest > 0 ? 50 * relative / largest : 0);
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

int cell_size(std::int64_t n) {
    return n <= max_numbered_length ? 26 : std::max<int>(2, static_cast<int>(640 / n));
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}

void write_head(std::ostream& out, const PositionTable& table, int width, int height) {
    const auto& chunk = table.chunk;
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
        << width << "\" height=\"" << height << "\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n"
        << "<title>Relative positions of Dual Chunk Attention</title>\n<style>\n"
        << ".page{fill:#ffffff}.ink{fill:#1f2328}.border{stroke:#1f2328}\n"
        << "@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.border{stroke:#e6edf3}}\n"
        << "</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
        << "<text class=\"ink\" x=\"16\" y=\"24\" font-size=\"15\">Relative position of query i and key j</text>\n"
        << "<text class=\"ink\" x=\"16\" y=\"43\">chunk_size " << chunk.chunk_size << ", local_size "
        << chunk.local_size << ", chunk_len " << chunk.chunk_len() << ", seq_len " << table.seq_len << "</text>\n";
}

/// The coloured cells, in units of one cell.
void write_cells(std::ostream& out, const PositionTable& table, std::int64_t largest) {
    std::map<std::pair<Mode, std::int64_t>, std::string> paths;
    for (std::int64_t i = 0; i < table.seq_len; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = pair_positions(table.chunk, i, j);
            paths[{pair.mode, pair.relative()}] += "M" + number(j) + " " + number(i) + "h1v1h-1z";
        }
    }
    for (const auto& [key, path] : paths) {
        const auto& [mode, relative] = key;
        out << "<path fill=\"" << color(mode, lightness(relative, largest)).text() << "\" d=\"" << path << "\"/>\n";
    }
}

/// Lines where a chunk of queries or of keys begins; left out where they would hide the cells.
void write_borders(std::ostream& out, const PositionTable& table, int cell) {
    const std::int64_t n = table.seq_len, stride = table.chunk.chunk_len();
    if (stride * cell < 6) return;
    out << "<path class=\"border\" fill=\"none\" stroke-width=\"" << 1.5 / cell << "\" d=\"";
    for (std::int64_t at = stride; at < n; at += stride) out << "M0 " << at << "H" << at << "V" << n;
    out << "\"/>\n";
}

void write_numbers(std::ostream& out, const PositionTable& table, std::int64_t largest, int cell) {
    for (std::int64_t i = 0; i < table.seq_len; ++i) {
        const std::int64_t y = margin_top + i * cell + cell / 2 + 4;
        out << "<text class=\"ink\" x=\"" << margin_left - 6 << "\" y=\"" << y << "\" text-anchor=\"end\">" << i
            << "</text><text class=\"ink\" x=\"" << margin_left + i * cell + cell / 2 << "\" y=\"" << margin_top - 6
            << "\" text-anchor=\"middle\">" << i << "</text>\n";
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = pair_positions(table.chunk, i, j);
            const Color background = color(pair.mode, lightness(pair.relative(), largest));
            out << "<text x=\"" << margin_left + j * cell + cell / 2 << "\" y=\"" << y
                << "\" text-anchor=\"middle\" fill=\"" << (background.dark() ? "#ffffff" : "#1f2328") << "\">"
                << pair.relative() << "</text>";
        }
        out << '\n';
    }
}

void write_ticks(std::ostream& out, const PositionTable& table, int cell) {
    // Round steps that leave about 40 pixels between labels.
    std::int64_t step = 1;
    for (int factor = 0; step * cell < 40; factor = (factor + 1) % 3) step = step * (factor == 1 ? 5 : 4) / 2;
    for (std::int64_t i = 0; i < table.seq_len; i += step) {
        out << "<text class=\"ink\" x=\"" << margin_left - 6 << "\" y=\"" << margin_top + i * cell + 4
            << "\" text-anchor=\"end\">" << i << "</text><text class=\"ink\" x=\"" << margin_left + i * cell
            << "\" y=\"" << margin_top - 6 << "\" text-anchor=\"middle\">" << i << "</text>\n";
    }
}

void write_legend(std::ostream& out, std::int64_t largest, int top) {
    constexpr int steps = 10, step_width = 12, height = 14;
    int y = top;
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
        << 16 + steps * step_width << "\" y=\"" << y + 8 << "\" text-anchor=\"end\">" << largest
        << "</text><text class=\"ink\" x=\"" << 16 + steps * step_width + 10 << "\" y=\"" << y + 8
        << "\">relative position</text>\n";
}

}  // namespace

void write_positions_svg(std::ostream& out, const PositionTable& table) {
    const std::int64_t n = table.seq_len;
    std::int64_t largest = 0;
    for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, pair_positions(table.chunk, i, 0).relative());
    const int cell = cell_size(n), side = cell * static_cast<int>(n);
    const int width = std::max(margin_left + side + margin_right, min_width);
    write_head(out, table, width, margin_top + side + legend_height);
    out << "<g transform=\"translate(" << margin_left << ' ' << margin_top << ") scale(" << cell
        << ")\" shape-rendering=\"crispEdges\">\n";
    write_cells(out, table, largest);
    write_borders(out, table, cell);
    out << "</g>\n";
    if (n <= max_numbered_length) {
        write_numbers(out, table, largest, cell);
    } else {
        write_ticks(out, table, cell);
    }
    write_legend(out, largest, margin_top + side + 24);
    out << "</svg>\n";
}

}  // namespace dca::cli
