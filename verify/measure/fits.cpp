#include "verify/measure/fits.hpp"

#include <algorithm>
#include <set>

#include "reference/spec/error.hpp"
#include "verify/measure/judge_claim.hpp"
#include "verify/measure/model_fit.hpp"
#include "verify/measure/power_fit.hpp"
#include "verify/measure/steps.hpp"

namespace dca::measure {
namespace {

std::size_t measured_sizes(const Series& series) {
    return static_cast<std::size_t>(std::count_if(series.samples.begin(), series.samples.end(),
                                                  [](const Sample& sample) { return !sample.values.empty(); }));
}

/// The value that all samples share, 0 where they do not.
std::int64_t shared(const Series& series, std::int64_t Sample::*size) {
    std::set<std::int64_t> values;
    for (const Sample& sample : series.samples) values.insert(sample.*size);
    return values.size() == 1 ? *values.begin() : 0;
}

void add(MeasureReport& report, std::size_t ladder, const Series& series, bool over_chunk) {
    if (measured_sizes(series) < least_points) return;
    FitReport fit;
    fit.ladder = ladder;
    fit.quantity = series.quantity;
    fit.over_chunk = over_chunk;
    fit.fixed = shared(series, over_chunk ? &Sample::n : &Sample::chunk_size);
    try {
        fit.power = fit_power(series, over_chunk ? Axis::chunk_size : Axis::n);
        if (!over_chunk) {
            const std::vector<ModelFit> models = compare_models(series, usual_models(series));
            if (!models.empty()) fit.model = models.front();
            fit.steps = find_steps(series);
        }
    } catch (const InvalidProblem& why) {
        fit.why_not = why.what();
    }
    report.fits.push_back(std::move(fit));
}

}  // namespace

void add_fits(MeasureReport& report, std::size_t ladder, bool timed) {
    const Ladder& of = report.ladders.at(ladder);
    const bool gpu = std::any_of(of.points.begin(), of.points.end(), [](const Point& point) {
        return !point.repeats.empty() && point.repeats.front().gpu_seconds.has_value();
    });
    std::vector<Quantity> quantities{Quantity::memory};
    if (timed) quantities.insert(quantities.begin(), gpu ? Quantity::time : Quantity::cpu);
    for (const Quantity quantity : quantities) {
        const Series series = series_of(report.ladders.at(ladder), quantity);
        add(report, ladder, along_n(series), false);
        const Series chunks = along_chunks(series);
        if (shared(chunks, &Sample::n) > 0) add(report, ladder, chunks, true);
    }
}

}  // namespace dca::measure
