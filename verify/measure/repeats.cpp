#include "verify/measure/repeats.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "verify/measure/order_statistics.hpp"
#include "verify/measure/replicas.hpp"

namespace dca::measure {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
    return text;
}

/// Of the second half of the repeats against the first.
std::string drift(const std::vector<double>& times) {
    constexpr std::size_t least = 6;  // chance parts two threes wholly in one case of ten
    constexpr double most = 0.1;
    if (times.size() < least) return {};
    const auto half = static_cast<std::ptrdiff_t>(times.size() / 2);
    const std::vector<double> early(times.begin(), times.begin() + half), late(times.end() - half, times.end());
    const auto [early_low, early_high] = std::minmax_element(early.begin(), early.end());
    const auto [late_low, late_high] = std::minmax_element(late.begin(), late.end());
    const double change = median(late) / median(early) - 1;
    if (*late_low > *early_high && change > most) {
        return "its later repeats took " + percent(change) + " longer than its earlier ones";
    }
    if (*late_high < *early_low && change < -most) {
        return "its later repeats took " + percent(-change) + " less than its earlier ones";
    }
    return {};
}

}  // namespace

Estimate median_interval(std::vector<double> values) {
    const double middle = median(values);
    return median_interval(std::move(values), tail).value_or(Estimate{middle, 0, infinity});
}

double relative_width(const std::vector<double>& values) {
    if (values.empty()) return infinity;
    const Estimate estimate = median_interval(values);
    return estimate.value > 0 ? (estimate.high - estimate.low) / 2 / estimate.value : infinity;
}

std::vector<double> steadiest_times(const Point& point) {
    const bool gpu = !point.repeats.empty() && std::all_of(point.repeats.begin(), point.repeats.end(),
                                                           [](const Repeat& r) { return r.gpu_seconds.has_value(); });
    std::vector<double> times;
    for (const Repeat& repeat : point.repeats) times.push_back(gpu ? *repeat.gpu_seconds : repeat.cpu_seconds);
    return times;
}

std::string disturbance(const Point& point) {
    return drift(steadiest_times(point));
}

}  // namespace dca::measure
