#include "verify/measure/replicas.hpp"

#include <algorithm>
#include <cmath>

#include "reference/spec/error.hpp"
#include "verify/measure/draws.hpp"
#include "verify/measure/elementary.hpp"

namespace dca::measure {

double median(std::vector<double> values) {
    expects(!values.empty(), "a median of something");
    const std::size_t middle = values.size() / 2;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
    const double upper = values[middle];
    if (values.size() % 2 == 1) return upper;
    return (upper + *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle))) / 2;
}

double resolution(Quantity quantity) {
    switch (quantity) {
        case Quantity::memory:
        case Quantity::peak: return 4096;
        case Quantity::time:
        case Quantity::cpu: return 1e-9;  // what the system's clocks count in
        case Quantity::flops:
        case Quantity::elements: return 1;
    }
    return 1;
}

Medians medians(const Series& series) {
    Medians made;
    const double least = resolution(series.quantity);
    for (const Sample& sample : series.samples) {
        if (sample.values.empty()) continue;
        for (const double value : sample.values) expects(std::isfinite(value), "measured values are finite");
        made.samples.push_back(&sample);
        made.y.push_back(std::max(least, median(sample.values)));
    }
    return made;
}

Replicas::Replicas(const Series& series, std::uint32_t stream, int count)
    : base_(medians(series)), stream_(stream), count_(count), spread_(base_.y.size(), 0.0) {
    const double least = resolution(series.quantity);
    std::vector<double> drawn;
    for (int r = 0; r < count_; ++r) {
        Draws draws(stream_, static_cast<std::uint32_t>(r));
        Column y = base_.y;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const std::vector<double>& values = base_.samples[i]->values;
            const std::size_t k = values.size();
            if (k < 2) continue;
            drawn.clear();
            for (std::size_t j = 0; j < k; ++j) drawn.push_back(values[draws.below(k)]);
            // A redrawn sample varies by (k - 1) / k of the variance it stands for.
            const double stretch = std::sqrt(static_cast<double>(k) / static_cast<double>(k - 1));
            const double moved = stretch * log_of(std::max(least, median(drawn)) / y[i]);
            y[i] *= exp_of(moved);
            spread_[i] += moved * moved / count_;
        }
        repeats_.push_back(std::move(y));
    }
    for (double& s : spread_) s = std::sqrt(s);
}

double Replicas::set_misfit(const Column& fitted, int parameters) {
    const int points = static_cast<int>(base_.y.size());
    degrees_ = points - parameters;
    expects(degrees_ >= 1, "more points than parameters");
    double residuals = 0, repeats = 0;
    for (std::size_t i = 0; i < fitted.size(); ++i) {
        const double residual = log_of(base_.y[i] / fitted[i]);
        residuals += residual * residual;
        repeats += spread_[i] * spread_[i];
    }
    misfit_squares_ = std::max(0.0, residuals - repeats * degrees_ / points);
    return std::sqrt(misfit_squares_ / degrees_);
}

void Replicas::for_each(const std::function<void(const Column&)>& each, bool only_repeats) const {
    for (int r = 0; r < count_; ++r) {
        Column y = repeats_[static_cast<std::size_t>(r)];
        // Counters of its own, behind those of the repeats, whatever their number.
        Draws draws(stream_ ^ 0x80000000U, static_cast<std::uint32_t>(r));
        // The standard deviation of the misfit is known from few points: it is drawn too, which makes Student's t of
        // the normal law.
        const double chi = degrees_ > 0 ? draws.chi_square(degrees_) : 1;
        const double sigma = std::sqrt(misfit_squares_ / std::max(chi, 1e-6));
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double z = draws.normal(), u = draws.uniform();
            // Time that the machine gave to others may or may not be in the measured value.
            const double stolen = std::clamp(base_.samples[i]->disturbance, 0.0, 0.9);
            if (!only_repeats) y[i] *= exp_of(std::clamp(sigma * z, -50.0, 50.0)) * (1 - stolen * u);
        }
        each(y);
    }
}

Estimate central(double value, std::vector<double> replicates) {
    expects(!replicates.empty(), "replicates");
    std::sort(replicates.begin(), replicates.end());
    const double steps = static_cast<double>(replicates.size() + 1);
    const auto rank = [&](double share) {
        const auto at = static_cast<std::size_t>(std::max(1.0, std::floor(share * steps + 0.5)));
        return replicates[std::min(at, replicates.size()) - 1];
    };
    return {value, std::min(value, rank(tail)), std::max(value, rank(1 - tail))};
}

}  // namespace dca::measure
