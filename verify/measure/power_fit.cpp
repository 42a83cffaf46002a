#include "verify/measure/power_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "reference/spec/error.hpp"
#include "verify/measure/combination.hpp"
#include "verify/measure/elementary.hpp"

namespace dca::measure {

namespace {

constexpr double steepest = 4;  // no attention is dearer than n^3; an exponent at the end says "at least"

/// The points along the axis: ln(x / x_max) and what y is divided by.
struct Points {
    Column log_x, divisor, x;
};

std::int64_t size_of(const Sample& sample, Axis axis) {
    return axis == Axis::n ? sample.n : sample.chunk_size;
}

Points points_of(const Medians& at, Axis axis, int log_power) {
    if (at.y.size() < least_points) {
        throw InvalidProblem("an exponent needs " + std::to_string(least_points) + " sizes at least, got " +
                             std::to_string(at.y.size()));
    }
    Points made;
    for (const Sample* sample : at.samples) {
        const std::int64_t size = size_of(*sample, axis);
        if (size < 2) throw InvalidProblem("sizes of a ladder are 2 at least, got " + std::to_string(size));
        const double x = static_cast<double>(size);
        if (!made.x.empty() && !(x > made.x.back())) {
            throw InvalidProblem("sizes of a ladder ascend, got " + std::to_string(size) + " after " +
                                 std::to_string(static_cast<std::int64_t>(made.x.back())));
        }
        double divisor = 1;
        for (int i = 0; i < log_power; ++i) divisor *= log_of(x);
        made.x.push_back(x);
        made.divisor.push_back(divisor);
    }
    for (const double x : made.x) made.log_x.push_back(log_of(x / made.x.back()));
    return made;
}

struct Law {
    double offset = 0, factor = 0, exponent = 0, deviance = 0;
    Column values;
};

/// Least squares of ln y against ln x.
Law without_offset(const Points& points, const Column& y) {
    const double count = static_cast<double>(y.size());
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
    Column log_y;
    for (std::size_t i = 0; i < y.size(); ++i) {
        log_y.push_back(log_of(y[i]));
        mean_x += points.log_x[i] / count;
        mean_y += log_y[i] / count;
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double x = points.log_x[i] - mean_x;
        xx += x * x;
        xy += x * (log_y[i] - mean_y);
    }
    Law law;
    law.exponent = std::clamp(xy / xx, -steepest, steepest);
    law.factor = exp_of(mean_y - law.exponent * mean_x);
    for (std::size_t i = 0; i < y.size(); ++i) {
        law.values.push_back(law.factor * exp_of(law.exponent * points.log_x[i]));
        const double ratio = y[i] / law.values[i];
        law.deviance += 2 * (ratio - 1 - log_of(ratio));
    }
    return law;
}

Law at_exponent(const Points& points, const Column& y, double exponent) {
    std::vector<Column> columns(2);
    for (const double log_x : points.log_x) {
        columns[0].push_back(1);
        columns[1].push_back(exp_of(exponent * log_x));
    }
    Combination fit = combine(columns, y);
    return {fit.coefficients[0], fit.coefficients[1], exponent, fit.deviance, std::move(fit.values)};
}

/// The exponent with the least deviance: a grid, then golden sections around its best point.
Law with_offset(const Points& points, const Column& y) {
    constexpr int grid = 20;
    constexpr double step = steepest / grid, golden = 0.6180339887498949;
    Law best = at_exponent(points, y, 0);
    const auto take = [&](double exponent) {
        Law law = at_exponent(points, y, exponent);
        const double deviance = law.deviance;
        if (deviance < best.deviance) best = std::move(law);
        return deviance;
    };
    for (int i = 1; i <= grid; ++i) take(i * step);
    double low = std::max(0.0, best.exponent - step), high = std::min(steepest, best.exponent + step);
    double a = high - golden * (high - low), b = low + golden * (high - low), at_a = take(a), at_b = take(b);
    for (int i = 0; i < 16; ++i) {  // to 2 * 0.2 * 0.618^17 = 10^-4
        if (at_a < at_b) {
            high = std::exchange(b, a);
            at_b = at_a;
            at_a = take(a = high - golden * (high - low));
        } else {
            low = std::exchange(a, b);
            at_a = at_b;
            at_b = take(b = low + golden * (high - low));
        }
    }
    return best;
}

Column divided(const Column& y, const Column& divisor) {
    Column made = y;
    for (std::size_t i = 0; i < y.size(); ++i) made[i] /= divisor[i];
    return made;
}

/// Exponents of all replicates, with and without an offset, and the offsets and factors.
struct Spread {
    std::vector<double> plain, curved, offset, factor;
};

Spread spread_of(const Replicas& replicas, const Points& points, bool only_repeats) {
    Spread made;
    replicas.for_each(
        [&](const Column& values) {
            const Column y = divided(values, points.divisor);
            made.plain.push_back(without_offset(points, y).exponent);
            const Law law = with_offset(points, y);
            made.curved.push_back(law.exponent);
            made.offset.push_back(law.offset);
            made.factor.push_back(law.factor);
        },
        only_repeats);
    return made;
}

Estimate joined(const Estimate& a, const Estimate& b) {
    return {a.value, std::min(a.low, b.low), std::max(a.high, b.high)};
}

std::uint32_t stream_of(Axis axis, int log_power) {
    return 16U + static_cast<std::uint32_t>(axis) + 2U * static_cast<std::uint32_t>(log_power);
}

PowerFit fit(const Series& series, Axis axis, int log_power, int count, bool only_repeats) {
    Replicas replicas(series, stream_of(axis, log_power), count);
    const Medians& base = replicas.base();
    const Points points = points_of(base, axis, log_power);
    const Column y = divided(base.y, points.divisor);
    const Law plain = without_offset(points, y), curved = with_offset(points, y);
    const bool has_offset = curved.offset > 0;
    const Law& law = has_offset ? curved : plain;
    Column fitted = law.values;
    for (std::size_t i = 0; i < fitted.size(); ++i) fitted[i] *= points.divisor[i];
    PowerFit made;
    made.misfit = replicas.set_misfit(fitted, has_offset ? 3 : 2);
    made.score = information_score(curved.deviance, y.size(), 3);
    made.first_n = base.samples.front()->n;
    made.last_n = base.samples.back()->n;
    const Spread spread = spread_of(replicas, points, only_repeats);
    // In the unit of the values: factor x^b with x, not x / x_max.
    const double unit = power_of(points.x.back(), -law.exponent);
    made.offset = central(has_offset ? curved.offset : 0, spread.offset);
    made.factor = central(law.factor, spread.factor);
    for (double* one : {&made.factor.value, &made.factor.low, &made.factor.high}) *one *= unit;
    const Estimate bent = central(curved.exponent, spread.curved), straight = central(plain.exponent, spread.plain);
    const bool sure = made.offset.low > 0;
    made.exponent = sure ? bent : joined(straight, bent);
    return made;
}

}  // namespace

PowerFit fit_power(const Series& series, Axis axis, int log_power, int replicates) {
    return fit(series, axis, log_power, replicates, false);
}

Estimate exponent_by_repeats(const Series& series, Axis axis, int log_power, int replicates) {
    return fit(series, axis, log_power, replicates, true).exponent;
}

Estimate last_exponent(const Series& series, Axis axis, int log_power, int replicates) {
    const Replicas replicas(series, 8, replicates);
    const Points points = points_of(replicas.base(), axis, log_power);
    const std::size_t last = points.x.size() - 1;
    const auto slope = [&](const Column& values) {
        const Column y = divided(values, points.divisor);
        return log_of(y[last] / y[last - 1]) / -points.log_x[last - 1];
    };
    std::vector<double> all;
    replicas.for_each([&](const Column& values) { all.push_back(slope(values)); });
    return central(slope(replicas.base().y), all);
}

}  // namespace dca::measure
