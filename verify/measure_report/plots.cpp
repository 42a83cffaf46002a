#include "verify/measure_report/plots.hpp"

#include <algorithm>
#include <cmath>

#include "verify/measure/repeats.hpp"
#include "verify/measure_report/tables.hpp"
#include "verify/report/format.hpp"

namespace dca::measure {
namespace {

std::optional<double> value_of(const Repeat& repeat, const Point& point, Quantity quantity) {
    switch (quantity) {
        case Quantity::time: return repeat.gpu_seconds.value_or(repeat.wall_seconds);
        case Quantity::cpu: return repeat.cpu_seconds;
        case Quantity::memory:
        case Quantity::peak:
            if (!repeat.peak_bytes) return std::nullopt;
            return static_cast<double>(*repeat.peak_bytes + (quantity == Quantity::peak ? point.input_bytes : 0));
        case Quantity::flops: return point.flops;
        case Quantity::elements: return static_cast<double>(point.elements.total());
    }
    return std::nullopt;
}

std::string unit(Quantity quantity) {
    switch (quantity) {
        case Quantity::time: return "wall time in seconds";
        case Quantity::cpu: return "processor time in seconds";
        case Quantity::memory: return "bytes above the inputs";
        case Quantity::peak: return "bytes with the inputs";
        case Quantity::flops: return "operations counted";
        case Quantity::elements: return "visible pairs of one head";
    }
    return "";
}

double variable(const Point& point, const FitReport& fit) {
    return static_cast<double>(fit.over_chunk ? point.chunk_size : point.n);
}

bool belongs(const Point& point, const FitReport& fit) {
    return fit.fixed == 0 || (fit.over_chunk ? point.n : point.chunk_size) == fit.fixed;
}

/// A law to draw: where no offset can be told from zero the exponent is that without one, and the factor follows from
/// the points.
struct Law {
    double offset, factor, exponent;
    [[nodiscard]] double at(double x) const { return offset + factor * std::pow(x, exponent); }
};

Law law_of(const PowerFit& fit, const std::vector<picture::LogPlot::Mark>& marks) {
    if (fit.offset.low > 0) return {fit.offset.value, fit.factor.value, fit.exponent.value};
    double sum = 0;
    for (const picture::LogPlot::Mark& mark : marks) sum += std::log(mark.y / std::pow(mark.x, fit.exponent.value));
    return {0, std::exp(sum / static_cast<double>(marks.size())), fit.exponent.value};
}

/// The fitted line, and a band between the lines with the ends of the exponent's interval through the middle size.
picture::LogPlot::Curve line(const PowerFit& fit, const std::vector<picture::LogPlot::Mark>& marks) {
    const double first = marks.front().x, last = marks.back().x;
    const Law law = law_of(fit, marks);
    picture::LogPlot::Curve curve;
    curve.name = "fitted exponent " + estimate_text(fit.exponent);
    const double middle = std::sqrt(first * last);
    constexpr int steps = 24;
    for (int k = 0; k <= steps; ++k) {
        const double x = first * std::pow(last / first, static_cast<double>(k) / steps), y = law.at(x);
        const double one = y * std::pow(x / middle, fit.exponent.low - fit.exponent.value);
        const double other = y * std::pow(x / middle, fit.exponent.high - fit.exponent.value);
        curve.x.push_back(x);
        curve.y.push_back(y);
        curve.low.push_back(std::min(one, other));
        curve.high.push_back(std::max(one, other));
    }
    return curve;
}

/// A claim about an exponent of n as a line of that slope through the first point.
std::optional<picture::LogPlot::Curve> limit(const ClaimReport& claim, const FitReport& fit, double first, double last,
                                             double through) {
    const ClaimVerdict& verdict = claim.verdict;
    const std::string quantity(name(fit.quantity));
    const bool ours = std::find(claim.ladders.begin(), claim.ladders.end(), fit.ladder) != claim.ladders.end() &&
                      verdict.claim.starts_with(quantity + " ");
    const std::string variable_name = fit.over_chunk ? "exponent of c" : "exponent of n";
    if (!ours || !verdict.measured_name.starts_with(variable_name) || !std::isfinite(verdict.limit)) return {};
    picture::LogPlot::Curve curve;
    curve.name = "claimed exponent " + verify::short_number(verdict.limit);
    curve.limit = true;
    curve.x = {first, last};
    curve.y = {through, through * std::pow(last / first, verdict.limit)};
    return curve;
}

}  // namespace

std::optional<picture::LogPlot> plot(const MeasureReport& report, const FitReport& fit) {
    const Ladder& ladder = report.ladders.at(fit.ladder);
    picture::LogPlot drawing;
    drawing.x_label = fit.over_chunk ? "chunk_size" : "n";
    drawing.y_label = unit(fit.quantity);
    for (const Point& point : ladder.points) {
        if (!belongs(point, fit)) continue;
        std::vector<double> values;
        for (const Repeat& repeat : point.repeats) {
            if (const std::optional<double> value = value_of(repeat, point, fit.quantity)) values.push_back(*value);
        }
        if (values.empty()) continue;
        const Estimate estimate = median_interval(values);
        const bool timed = fit.quantity == Quantity::time || fit.quantity == Quantity::cpu;
        drawing.marks.push_back(
            {variable(point, fit), estimate.value, estimate.low, estimate.high, timed && !point.disturbed.empty()});
    }
    if (drawing.marks.empty()) return std::nullopt;
    const double first = drawing.marks.front().x, last = drawing.marks.back().x;
    if (fit.power && first < last) drawing.curves.push_back(line(*fit.power, drawing.marks));
    for (const ClaimReport& claim : report.claims) {
        if (auto curve = limit(claim, fit, first, last, drawing.marks.front().y); curve && first < last) {
            drawing.curves.push_back(*curve);
        }
    }
    return drawing;
}

std::string plot_caption(const MeasureReport& report, const FitReport& fit) {
    const std::string of = heading(report.ladders.at(fit.ladder));
    std::string text = "Medians of " + of + ", bars: their 90 % intervals, rings: disturbed.";
    if (fit.power)
        text += " The line is fitted, its band the interval of the exponent " + estimate_text(fit.power->exponent) +
                ". Dashed: the claim, through the first size.";
    for (const StepFinding& step : fit.steps) text += " " + step.what + ".";
    return text;
}

}  // namespace dca::measure
