#include <algorithm>
#include <cmath>
#include <tuple>

#include "verify/picture/script.hpp"

namespace dca::picture {
namespace {

bool drawable(double value) {
    return value > 0 && std::isfinite(value);
}

std::string color(std::string_view of) {
    return "'" + std::string(of) + "'";
}

/// Smallest and largest of what is drawn, with room at the ends.
struct Range {
    double low = HUGE_VAL, high = 0;
    void take(double value) {
        if (!drawable(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    [[nodiscard]] std::string text(double room) const {
        return "[" + number(low / room) + ":" + number(high * room) + "]";
    }
};

std::string block(const std::string& name, const std::string& rows) {
    return "$" + name + " << EOD\n" + rows + "EOD\n";
}

std::string mark_rows(const LogPlot& plot, bool doubtful) {
    std::string rows;
    for (const LogPlot::Mark& mark : plot.marks) {
        if (mark.doubtful != doubtful || !drawable(mark.x) || !drawable(mark.y)) continue;
        const double low = drawable(mark.low) ? mark.low : mark.y, high = drawable(mark.high) ? mark.high : mark.y;
        rows += number(mark.x) + " " + number(mark.y) + " " + number(low) + " " + number(high) + "\n";
    }
    return rows;
}

/// Sizes are powers of two more often than of ten.
std::string x_tics(const Range& x) {
    if (!drawable(x.low) || !drawable(x.high)) return {};
    std::string text;
    const int first = static_cast<int>(std::floor(std::log2(x.low))),
              last = static_cast<int>(std::ceil(std::log2(x.high)));
    const int every = last - first > 10 ? 2 : 1;
    for (int power = first; power <= last && power < 62; power += every) {
        const double size = std::ldexp(1.0, power);
        const std::string name = power >= 20   ? std::to_string(std::int64_t{1} << (power - 20)) + "M"
                                 : power >= 10 ? std::to_string(std::int64_t{1} << (power - 10)) + "K"
                                               : std::to_string(std::int64_t{1} << std::max(power, 0));
        if (power >= 0) text += (text.empty() ? "" : ", ") + label(name) + " " + number(size);
    }
    return "set xtics (" + text + ")\n";
}

/// 1, 2 and 5 times powers of ten, or these powers alone where they are enough; named by SI prefixes.
std::string y_tics(const Range& y, double room) {
    if (!drawable(y.low) || !drawable(y.high)) return {};
    const bool fine = y.high / y.low * room * room < 1000;
    std::string text;
    const int last = static_cast<int>(std::ceil(std::log10(y.high * room)));
    for (int power = static_cast<int>(std::floor(std::log10(y.low / room))); power <= last; ++power) {
        for (const double digit : {1.0, 2.0, 5.0}) {
            const double value = digit * std::pow(10.0, power);
            if ((digit > 1 && !fine) || value < y.low / room || value > y.high * room) continue;
            text += (text.empty() ? "" : ", ") + number(value);
        }
    }
    return "set format y '%.0s %c'\nset ytics (" + text + ")\n";
}

}  // namespace

std::string script(const LogPlot& plot) {
    Range x, y;
    for (const LogPlot::Mark& mark : plot.marks) {
        if (!drawable(mark.x) || !drawable(mark.y)) continue;
        x.take(mark.x);
        for (const double value : {mark.y, mark.low, mark.high}) y.take(value);
    }
    const Range measured = y;
    std::string data, parts, bands;
    const auto part = [](std::string& to, const std::string& text) { to += (to.empty() ? "" : ", ") + text; };
    int count = 0;
    for (const LogPlot::Curve& curve : plot.curves) {
        std::string rows, band;
        for (std::size_t i = 0; i < curve.x.size(); ++i) {
            if (!drawable(curve.x[i]) || !drawable(curve.y[i])) continue;
            rows += number(curve.x[i]) + " " + number(curve.y[i]) + "\n";
            // A limit far away must not flatten what was measured.
            y.take(std::clamp(curve.y[i], measured.low / 8, measured.high * 8));
            if (curve.low.empty() || !drawable(curve.low[i]) || !drawable(curve.high[i])) continue;
            band += number(curve.x[i]) + " " + number(curve.low[i]) + " " + number(curve.high[i]) + "\n";
        }
        const std::string name = "curve" + std::to_string(count++);
        if (rows.empty()) continue;
        data += block(name, rows);
        if (!band.empty()) {
            data += block(name + "band", band);
            part(bands, "$" + name + "band using 1:2:3 with filledcurves fs transparent solid 0.2 noborder lc rgb " +
                            color(accent) + " notitle");
        }
        part(parts, "$" + name + " using 1:2 with lines lw 2 " + (curve.limit ? "dt 2 " : "") + "lc rgb " +
                        color(curve.limit ? alarm : accent) + " title " + label(curve.name, 60));
    }
    const std::string sure = mark_rows(plot, false), doubtful = mark_rows(plot, true);
    for (const auto& [name, rows, shape] : {std::tuple{"sure", sure, "7"}, std::tuple{"doubtful", doubtful, "6"}}) {
        if (rows.empty()) continue;
        data += block(name, rows);
        part(parts, "$" + std::string(name) + " using 1:2:3:4 with yerrorbars pt " + shape + " ps 0.5 lw 1.5 lc rgb " +
                        color(ink) + " notitle");
    }
    if (!bands.empty()) parts = bands + ", " + parts;
    return prologue(560, 360) + data + "set logscale xy\nset xrange " + x.text(1.25) + "\nset yrange " + y.text(1.4) +
           "\n" + y_tics(y, 1.4) + x_tics(x) + "set xlabel " + label(plot.x_label) + "\nset ylabel " +
           label(plot.y_label, 40) + "\nset key top left textcolor rgb " + color(ink) + "\nplot " + parts + "\n";
}

}  // namespace dca::picture
