// A report with everything in it, and nothing that was measured.
#pragma once

#include "verify/measure/result.hpp"

namespace dca::test {

inline measure::MeasureReport sample_report() {
    using namespace measure;
    MeasureReport report;
    report.machine = "a machine, 2 processors";
    report.command = "dca measure --candidate reference --n 1K..4K";
    Ladder ladder;
    ladder.candidate = "reference";
    ladder.setting.threads = 1;
    for (const std::int64_t n : {1024, 1536, 2048, 4096}) {
        Point& point = ladder.points.emplace_back();
        point.n = n;
        point.chunk_size = 512;
        point.local_size = 64;
        point.memory_source = MemorySource::allocation_hook;
        point.input_bytes = 24 * n;
        point.output_bytes = 9 * n;
        point.flops = 1e6 * static_cast<double>(n);
        point.elements = {1, 2, 3};
        point.resident_bytes = 1100 * n;
        point.settled = true;
        for (int round = 0; round < 6; ++round) {
            Repeat& repeat = point.repeats.emplace_back();
            repeat.round = round;
            repeat.cpu_seconds = 1e-6 * static_cast<double>(n) * (1 + 0.01 * round);
            repeat.wall_seconds = 2 * repeat.cpu_seconds;
            repeat.peak_bytes = 1000 * n;
            repeat.stolen = 0.5;
        }
    }
    ladder.points.back().disturbed = "its later repeats took 20 % longer than its earlier ones";
    Point& absent = ladder.points.emplace_back();
    absent.n = 1 << 20;
    absent.chunk_size = 512;
    absent.failure = "left out: one run is foreseen to take 1e+05 s";
    report.ladders.push_back(ladder);

    FitReport fit;
    fit.quantity = Quantity::memory;
    fit.fixed = 512;
    fit.power = PowerFit{{0, 0, 10}, {1000, 990, 1010}, {1, 0.99, 1.01}, 0.001, 1024, 4096};
    fit.model =
        ModelFit{"1 + n", {{"1", {1, 0, 2}, {0.1, 0, 0.2}}, {"n", {1000, 990, 1010}, {0.9, 0.8, 1}}}, 0.001, -5};
    fit.steps = {{Step::staircase, 2048, "a stair at n = 2048"}};
    report.fits.push_back(fit);
    FitReport none;
    none.quantity = Quantity::cpu;
    none.why_not = "too few sizes";
    report.fits.push_back(none);

    for (const ClaimOutcome outcome : {ClaimOutcome::pass, ClaimOutcome::fail, ClaimOutcome::inconclusive}) {
        ClaimReport& claim = report.claims.emplace_back();
        claim.id = "claim-" + std::to_string(report.claims.size());
        claim.source = "somebody, somewhere";
        claim.ladders = {0};
        claim.verdict.claim = "memory <= O(n)";
        claim.verdict.candidate = "reference";
        claim.verdict.outcome = outcome;
        claim.verdict.measured_name = "exponent of n";
        claim.verdict.measured = Estimate{1, 0.99, 1.01};
        claim.verdict.limit = 1;
        claim.verdict.reason = "because";
        if (outcome == ClaimOutcome::inconclusive) claim.verdict.decided_by = "more repeats";
    }
    report.claims[2].verdict.measured.reset();
    report.notes = {"a note"};
    return report;
}

}  // namespace dca::test
