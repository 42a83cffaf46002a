#include "verify/measure_report/tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "verify/measure/repeats.hpp"
#include "verify/report/format.hpp"

namespace dca::measure {
namespace {

std::string with_unit(double value, const char* unit) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.3g %s", value, unit);
    return text.data();
}

std::string count_text(std::size_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::vector<double> wall_of(const Point& point) {
    std::vector<double> values;
    for (const Repeat& repeat : point.repeats) values.push_back(repeat.wall_seconds);
    return values;
}

std::vector<double> gpu_of(const Point& point) {
    std::vector<double> values;
    for (const Repeat& repeat : point.repeats) {
        if (repeat.gpu_seconds) values.push_back(*repeat.gpu_seconds);
    }
    return values;
}

std::vector<double> stolen_of(const Point& point) {
    std::vector<double> values;
    for (const Repeat& repeat : point.repeats) {
        if (repeat.stolen) values.push_back(*repeat.stolen);
    }
    return values;
}

std::vector<double> bytes_of(const Point& point) {
    std::vector<double> values;
    for (const Repeat& repeat : point.repeats) {
        if (repeat.peak_bytes) values.push_back(static_cast<double>(*repeat.peak_bytes));
    }
    return values;
}

/// "1.2 ms +- 3 %": the median, and the half width of its interval where there is one.
std::string time_text(const std::vector<double>& values) {
    if (values.empty()) return "-";
    const Estimate estimate = median_interval(values);
    std::string text = seconds_text(estimate.value);
    if (std::isfinite(estimate.high) && estimate.value > 0) {
        text += with_unit((estimate.high - estimate.low) / 2 / estimate.value * 100, "%").insert(0, " +- ");
    }
    return text;
}

std::string remark(const Point& point) {
    if (!point.failure.empty()) return point.failure;
    std::string text;
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (!point.disturbed.empty()) add(point.disturbed);
    const std::vector<double> stolen = stolen_of(point);
    if (!stolen.empty()) {
        const double share = median_interval(stolen).value;
        if (share > 0.1) add("others had the processor for " + with_unit(100 * share, "% of the wall time"));
    }
    return text;
}

}  // namespace

std::string seconds_text(double seconds) {
    if (!(seconds > 0)) return "0 s";
    if (seconds < 1e-3) return with_unit(seconds * 1e6, "us");
    return seconds < 1 ? with_unit(seconds * 1e3, "ms") : with_unit(seconds, "s");
}

std::string bytes_text(double bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; std::abs(bytes) >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), bytes >= 100 ? "%.0f %s" : "%.3g %s", bytes, units[unit]);
    return text.data();
}

std::string size_text(std::int64_t size) {
    if (size >= 1 << 20 && size % (1 << 20) == 0) return std::to_string(size >> 20) + "M";
    if (size >= 1 << 10 && size % (1 << 10) == 0) return std::to_string(size >> 10) + "K";
    return std::to_string(size);
}

std::string estimate_text(const Estimate& estimate) {
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), "%.3g (%.3g .. %.3g)", estimate.value, estimate.low, estimate.high);
    return text.data();
}

std::string heading(const Ladder& ladder) {
    const Setting& of = ladder.setting;
    std::string text =
        ladder.candidate + (of.pass == Pass::backward ? ", forward and backward, " : ", forward, ") + of.dtype + ", ";
    if (of.batch > 1) text += "batch " + std::to_string(of.batch) + ", ";
    text += count_text(static_cast<std::size_t>(of.heads_q), "head", "heads");
    if (of.heads_kv != of.heads_q) text += " (" + std::to_string(of.heads_kv) + " of keys)";
    text += " of " + std::to_string(of.head_dim);
    if (of.head_dim_v != of.head_dim) text += " and " + std::to_string(of.head_dim_v);
    text += " channels";
    if (of.threads > 0) text += ", " + count_text(static_cast<std::size_t>(of.threads), "thread", "threads");
    return text;
}

Cells point_table(const Ladder& ladder) {
    const bool gpu = std::any_of(ladder.points.begin(), ladder.points.end(),
                                 [](const Point& point) { return !gpu_of(point).empty(); });
    Cells table{{"n", "C", "runs", "wall", "CPU", "memory", "per token", "GFLOP/s", "remark"}};
    if (gpu) table[0].insert(table[0].begin() + 4, "GPU");
    for (const Point& point : ladder.points) {
        const std::vector<double> bytes = bytes_of(point), times = steadiest_times(point);
        std::vector<std::string> row{size_text(point.n), size_text(point.chunk_size),
                                     std::to_string(point.repeats.size()), time_text(wall_of(point))};
        if (gpu) row.push_back(time_text(gpu_of(point)));
        const auto cpu = [&] {
            std::vector<double> values;
            for (const Repeat& repeat : point.repeats) values.push_back(repeat.cpu_seconds);
            return values;
        };
        row.push_back(time_text(cpu()));
        const double memory = bytes.empty() ? 0 : median_interval(bytes).value;
        row.push_back(bytes.empty() ? "-" : bytes_text(memory));
        row.push_back(bytes.empty() ? "-" : bytes_text(memory / static_cast<double>(point.n)));
        const double seconds = times.empty() ? 0 : median_interval(times).value;
        row.push_back(seconds > 0 && point.flops > 0 ? verify::short_number(point.flops / seconds * 1e-9) : "-");
        row.push_back(remark(point));
        table.push_back(row);
    }
    return table;
}

Cells fit_table(const MeasureReport& report) {
    Cells table{{"candidate", "quantity", "exponent", "best model", "steps"}};
    for (const FitReport& fit : report.fits) {
        const Ladder& ladder = report.ladders.at(fit.ladder);
        std::string quantity = std::string(name(fit.quantity)) + (fit.over_chunk ? " ~ C^a" : " ~ n^a");
        if (fit.fixed > 0) quantity += (fit.over_chunk ? ", n=" : ", C=") + size_text(fit.fixed);
        std::string steps;
        for (const StepFinding& step : fit.steps) steps += (steps.empty() ? "" : "; ") + step.what;
        table.push_back({ladder.candidate, quantity, fit.power ? estimate_text(fit.power->exponent) : fit.why_not,
                         fit.model ? fit.model->name : "", steps});
    }
    return table;
}

Cells claim_table(const MeasureReport& report) {
    Cells table{{"verdict", "candidate", "claim", "measured", "who says so"}};
    for (const ClaimReport& claim : report.claims) {
        const ClaimVerdict& verdict = claim.verdict;
        table.push_back(
            {std::string(name(verdict.outcome)), verdict.candidate, verdict.claim,
             verdict.measured ? verdict.measured_name + ": " + estimate_text(*verdict.measured) : "not measured",
             claim.source});
    }
    return table;
}

std::string headline_word(const MeasureReport& report) {
    switch (outcome(report)) {
        case RunOutcome::passed: {
            const bool all = std::all_of(report.claims.begin(), report.claims.end(), [](const ClaimReport& claim) {
                return claim.verdict.outcome == ClaimOutcome::pass;
            });
            return report.claims.empty() ? "MEASURED" : all ? "PASSED" : "AS EXPECTED";
        }
        case RunOutcome::failed: return "FAILED";
        case RunOutcome::broken: return "ERROR";
        case RunOutcome::inconclusive: return "INCONCLUSIVE";
    }
    return "ERROR";
}

std::string headline_text(const MeasureReport& report) {
    std::size_t points = 0, broken = 0;
    for (const Ladder& ladder : report.ladders) {
        for (const Point& point : ladder.points) {
            points += point.repeats.empty() ? 0 : 1;
            broken += !point.failure.empty() && !point.failure.starts_with(left_out) ? 1 : 0;
        }
    }
    std::string text = count_text(report.ladders.size(), "ladder, ", "ladders, ") +
                       count_text(points, "size measured", "sizes measured");
    if (broken > 0) text += ", the candidate broke at " + std::to_string(broken);
    if (report.claims.empty()) return text;
    text += "; " + count_text(report.claims.size(), "claim", "claims");
    const char* separator = ": ";
    for (const auto& [of, word] : {std::pair{ClaimOutcome::pass, "pass"}, std::pair{ClaimOutcome::fail, "fail"},
                                   std::pair{ClaimOutcome::inconclusive, "inconclusive"}}) {
        const auto count = std::count_if(report.claims.begin(), report.claims.end(),
                                         [&](const ClaimReport& one) { return one.verdict.outcome == of; });
        if (count == 0) continue;
        text += separator + std::to_string(count) + " " + word;
        separator = ", ";
    }
    const auto surprises = std::count_if(report.claims.begin(), report.claims.end(),
                                         [](const ClaimReport& one) { return !as_expected(one); });
    if (surprises > 0) text += "; " + std::to_string(surprises) + " not as the claims file expects";
    return text;
}

std::vector<std::string> remarks(const MeasureReport& report) {
    std::set<MemorySource> sources;
    bool gpu = false, unseen = false;
    for (const Ladder& ladder : report.ladders) {
        for (const Point& point : ladder.points) {
            if (point.repeats.empty()) continue;
            sources.insert(point.memory_source);
            gpu = gpu || !gpu_of(point).empty();
            const std::vector<double> bytes = bytes_of(point);
            // Page tables, stacks and what the allocator keeps: some MiB that no candidate asked for.
            constexpr double slack = 8 << 20;
            unseen = unseen ||
                     (point.memory_source == MemorySource::allocation_hook && point.resident_bytes && !bytes.empty() &&
                      static_cast<double>(*point.resident_bytes) > 1.5 * median_interval(bytes).value + slack);
        }
    }
    std::vector<std::string> lines;
    for (const MemorySource source : sources) {
        switch (source) {
            case MemorySource::allocation_hook:
                lines.emplace_back(
                    "memory: most bytes allocated at once during a run, above what was there before "
                    "(allocation hook)");
                break;
            case MemorySource::resident:
                lines.emplace_back(
                    "memory: growth of resident memory during a run (VmHWM); this build has no "
                    "allocation hook");
                break;
            case MemorySource::rusage:
                lines.emplace_back(
                    "memory: largest resident set of the whole program (getrusage), less the same of a "
                    "run of 24 tokens, less its inputs");
                break;
            case MemorySource::cgroup: lines.emplace_back("memory: of the control group"); break;
            case MemorySource::gpu: lines.emplace_back("memory: on the GPU"); break;
            case MemorySource::none: lines.emplace_back("memory: not known here"); break;
        }
    }
    if (unseen) {
        lines.emplace_back(
            "resident memory grew by more than 1.5 times what was allocated: the candidate holds memory "
            "that the allocation hook does not see");
    }
    if (!gpu) lines.emplace_back("GPU time and memory: not available here");
    lines.emplace_back("times: median of the runs and half the width of its 90 % interval; GFLOP/s of processor time");
    return lines;
}

std::string expectation_text(const ClaimReport& claim) {
    return as_expected(claim) ? std::string() : "expected " + claim.expected;
}

std::string reason_text(const ClaimVerdict& verdict) {
    std::string text = verdict.reason;
    for (const StepFinding& step : verdict.steps) text += (text.empty() ? "" : "; ") + step.what;
    if (!verdict.decided_by.empty())
        text += (text.empty() ? "" : "; ") + std::string("would be decided by: ") + verdict.decided_by;
    return text;
}

}  // namespace dca::measure
