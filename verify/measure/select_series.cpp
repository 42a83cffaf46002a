#include <algorithm>
#include <map>
#include <set>

#include "verify/measure/judge_claim.hpp"
#include "verify/measure/power_fit.hpp"
#include "verify/measure/replicas.hpp"

namespace dca::measure {

namespace {

std::optional<double> value_of(const Repeat& repeat, const Point& point, Quantity quantity) {
    const auto& bytes = point.memory_source == MemorySource::gpu ? repeat.gpu_bytes : repeat.peak_bytes;
    switch (quantity) {
        case Quantity::time: return repeat.gpu_seconds ? *repeat.gpu_seconds : repeat.wall_seconds;
        case Quantity::cpu: return repeat.cpu_seconds;
        case Quantity::memory: return bytes ? std::optional(static_cast<double>(*bytes)) : std::nullopt;
        case Quantity::peak:
            return bytes ? std::optional(static_cast<double>(*bytes + point.input_bytes)) : std::nullopt;
        case Quantity::flops:
        case Quantity::elements: break;
    }
    return std::nullopt;
}

Sample sample_of(const Point& point, Quantity quantity) {
    Sample sample;
    sample.n = point.n;
    sample.chunk_size = point.chunk_size;
    sample.failure = point.failure;
    const bool counted = quantity == Quantity::flops || quantity == Quantity::elements;
    if (counted) {
        const double value = quantity == Quantity::flops ? point.flops : static_cast<double>(point.elements.total());
        if (value > 0) {
            sample.values = {value};
            sample.rounds = {0};
        }
        return sample;
    }
    std::vector<double> stolen;
    for (const Repeat& repeat : point.repeats) {
        const std::optional<double> value = value_of(repeat, point, quantity);
        if (!value) continue;
        sample.values.push_back(*value);
        sample.rounds.push_back(repeat.round);
        if (repeat.stolen) stolen.push_back(*repeat.stolen);
    }
    // Who shares the machine takes time from a run, not memory; on a GPU events do not see it.
    const bool can_be_stolen = quantity == Quantity::time && !point.repeats.empty() && !point.repeats[0].gpu_seconds;
    if (can_be_stolen && !stolen.empty()) sample.disturbance = median(stolen);
    return sample;
}

/// The samples of the key that has most of them, the largest key where several have.
template <typename Key>
Series most_of(const Series& series, Key key) {
    std::map<std::int64_t, std::size_t> count;
    for (const Sample& sample : series.samples) {
        if (!sample.values.empty()) ++count[key(sample)];
    }
    std::int64_t best = 0;
    std::size_t most = 0;
    for (const auto& [value, samples] : count) {
        if (samples >= most) {
            best = value;
            most = samples;
        }
    }
    Series part{series.candidate, series.quantity, {}};
    for (const Sample& sample : series.samples) {
        if (key(sample) == best) part.samples.push_back(sample);
    }
    return part;
}

}  // namespace

Series series_of(const Ladder& ladder, Quantity quantity) {
    Series series{ladder.candidate, quantity, {}};
    for (const Point& point : ladder.points) series.samples.push_back(sample_of(point, quantity));
    return series;
}

Series along_n(const Series& series) {
    Series part = most_of(series, [](const Sample& sample) { return sample.chunk_size; });
    if (medians(part).y.size() >= least_points) return part;
    std::set<std::int64_t> sizes;
    for (const Sample& sample : series.samples) sizes.insert(sample.n);
    return sizes.size() == series.samples.size() ? series : part;
}

Series along_chunks(const Series& series) {
    return most_of(series, [](const Sample& sample) { return sample.n; });
}

ClaimOutcome worse(ClaimOutcome a, ClaimOutcome b) {
    const auto rank = [](ClaimOutcome outcome) {
        return outcome == ClaimOutcome::fail ? 2 : outcome == ClaimOutcome::inconclusive ? 1 : 0;
    };
    return rank(a) >= rank(b) ? a : b;
}

}  // namespace dca::measure
