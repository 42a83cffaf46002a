#include <string>

#include "tests/support/catch.hpp"
#include "tests/verify/measure/planted.hpp"
#include "verify/measure/judge_claim.hpp"

using namespace dca::measure;
using planted::Plan;

namespace {

constexpr auto pass = ClaimOutcome::pass, fail = ClaimOutcome::fail, open = ClaimOutcome::inconclusive;

ClaimVerdict judge(const std::string& claim, const std::vector<Ladder>& ladders) {
    ClaimVerdict verdict = judge_claim(parse_claim(claim), ladders.front().candidate, ladders);
    UNSCOPED_INFO(claim << ": " << name(verdict.outcome) << ": " << verdict.reason << " [" << verdict.decided_by
                        << "]");
    CHECK((verdict.outcome == open) == !verdict.decided_by.empty());
    return verdict;
}

/// Two candidates in alternation on a machine whose speed changes with every round by a factor up to 2.
std::vector<Ladder> alternated(double ratio, double noise, int repeats = 9) {
    Plan plan;
    plan.noise = noise;
    plan.repeats = repeats;
    std::vector<Ladder> both;
    for (const char* name : {"candidate", "plain_causal"}) {
        plan.candidate = name;
        plan.seed += 1;
        const double factor = plan.candidate == "candidate" ? ratio : 1;
        both.push_back(planted::ladder(plan, [&](double n, double) { return factor * 1e-9 * n * n; }));
        for (Point& point : both.back().points) {
            for (Repeat& repeat : point.repeats) repeat.wall_seconds *= 1 + repeat.round % 4 / 3.0;
        }
    }
    return both;
}

}  // namespace

TEST_CASE("a slow candidate fails a ratio and a quick one passes, though the machine's speed changes twofold") {
    CHECK(judge("ratio(time, plain_causal) <= 1.05", alternated(1.0, 0.01)).outcome == pass);
    CHECK(judge("ratio(time, plain_causal) <= 1.05", alternated(1.2, 0.01)).outcome == fail);
    CHECK(judge("ratio(time, plain_causal) >= 1.05", alternated(1.2, 0.01)).outcome == pass);
    CHECK(judge("ratio(time, plain_causal) <= 1.05", alternated(1.05, 0.05)).outcome == open);
    CHECK(judge("ratio(time, plain_causal) <= 1.05 at every n", alternated(1.0, 0.01)).outcome == pass);
    CHECK(judge("ratio(time, plain_causal) <= 1.05 at n = 1024", alternated(1.2, 0.01)).outcome == fail);
    CHECK(judge("ratio(time, plain_causal) <= 1.05 at n = 1000", alternated(1.2, 0.01)).outcome == open);
}

TEST_CASE("a ratio of a disturbed and a quiet candidate is open, of two that were disturbed alike it is not") {
    auto both = alternated(1.2, 0.01);
    for (Point& point : both[0].points) {
        for (Repeat& repeat : point.repeats) repeat.stolen = 0.3;
    }
    CHECK(judge("ratio(time, plain_causal) <= 1.05", both).outcome == open);
    for (Point& point : both[1].points) {
        for (Repeat& repeat : point.repeats) repeat.stolen = 0.3;
    }
    CHECK(judge("ratio(time, plain_causal) <= 1.05", both).outcome == fail);
    for (Point& point : both[0].points) {
        for (Repeat& repeat : point.repeats) repeat.stolen = 0;
    }
    CHECK(judge("ratio(time, plain_causal) <= 1.4", both).outcome == open);
}

TEST_CASE("ratios pair the rounds") {
    auto both = alternated(1.0, 0.0);
    CHECK(judge("ratio(time, plain_causal) <= 1.0001", both).outcome == pass);
    // Other rounds: nothing was measured side by side.
    for (Point& point : both[1].points) {
        for (Repeat& repeat : point.repeats) repeat.round += 100;
    }
    CHECK(judge("ratio(time, plain_causal) <= 1.05", both).outcome == open);
}

TEST_CASE("a ratio needs both candidates on one shape, and five rounds") {
    auto both = alternated(1.0, 0.01);
    CHECK(judge("ratio(time, plain_causal) <= 1.05", {both[0]}).outcome == open);
    both[1].setting.heads_q = 2;
    CHECK(judge("ratio(time, plain_causal) <= 1.05", both).reason.find("same shape") != std::string::npos);
    const ClaimVerdict few = judge("ratio(time, plain_causal) <= 1.05", alternated(1.0, 0.01, 4));
    CHECK(few.outcome == open);
    CHECK(few.decided_by == "5 paired repeats at n = 16384 instead of 4");
}

TEST_CASE("bytes per token, with and without the inputs") {
    Plan plan;
    plan.noise = 0;
    // 17 KiB above the inputs, 3 KiB of inputs.
    const Ladder ladder = planted::memory(plan, [](double n, double) { return 17 * 1024 * n; });
    CHECK(judge("peak <= 20.1 KiB/token", {ladder}).outcome == pass);
    CHECK(judge("peak <= 19.9 KiB/token", {ladder}).outcome == fail);
    CHECK(judge("memory <= 17 KiB/token", {ladder}).outcome == pass);
    CHECK(judge("memory >= 17 KiB/token", {ladder}).outcome == pass);
    const ClaimVerdict verdict = judge("peak <= 20.1 KiB/token", {ladder});
    REQUIRE(verdict.measured);
    // Bytes are whole numbers: half a byte of 20 KiB for every token.
    CHECK(verdict.measured->value == Approx(20).epsilon(1e-6));
    CHECK(verdict.limit == Approx(20.1));
    CHECK(verdict.measured_name == "KiB/token at n = 16384");
}

TEST_CASE("a number is of the largest size, of every size, or of those named") {
    Plan plan;
    plan.noise = 0;
    const Ladder ladder = planted::memory(plan, [](double n, double) { return 1024 * n + 4e6; });
    // 4e6 / 512 = 7.6 KiB per token beside 1 KiB at the smallest size, 0.24 at the largest.
    CHECK(judge("memory <= 1.5 KiB/token", {ladder}).outcome == pass);
    CHECK(judge("memory <= 1.5 KiB/token at every n", {ladder}).outcome == fail);
    CHECK(judge("memory <= 9 KiB/token at every n", {ladder}).outcome == pass);
    CHECK(judge("memory <= 1.5 KiB/token at n >= 16K", {ladder}).outcome == pass);
    CHECK(judge("memory <= 1.5 KiB/token at n >= 4096", {ladder}).outcome == fail);
    CHECK(judge("memory <= 1.5 KiB/token at n = 777", {ladder}).outcome == open);
}

TEST_CASE("every size counts where every size is claimed: a missing one is no pass") {
    Plan plan;
    plan.noise = 0;
    Ladder ladder = planted::memory(plan, planted::linear_bytes);
    ladder.points.push_back(planted::failed(32768, "timed out"));
    CHECK(judge("memory <= 3 KiB/token at every n", {ladder}).outcome == open);
    CHECK(judge("memory <= 1 KiB/token at every n", {ladder}).outcome == fail);
    CHECK(judge("memory <= 3 KiB/token", {ladder}).outcome == pass);
}

TEST_CASE("time on a disturbed machine decides only what is clear") {
    Plan plan;
    plan.noise = 0.01;
    plan.stolen = 0.3;
    const Ladder ladder = planted::ladder(plan, [](double n, double) { return 1e-6 * n; });  // 16.4 ms at 16384
    CHECK(judge("time <= 20 ms", {ladder}).outcome == pass);
    CHECK(judge("time <= 15 ms", {ladder}).outcome == open);
    CHECK(judge("time <= 10 ms", {ladder}).outcome == fail);
}

TEST_CASE("counted quantities are exact") {
    Plan plan;
    Ladder ladder = planted::memory(plan, planted::linear_bytes);
    ladder.points.resize(1);
    ladder.points[0].repeats.clear();
    ladder.points[0].elements = {100, 20, 3};
    ladder.points[0].flops = 4 * 128 * 123;
    CHECK(judge("elements <= 123", {ladder}).outcome == pass);
    CHECK(judge("elements <= 122", {ladder}).outcome == fail);
    CHECK(judge("flops <= 62976", {ladder}).outcome == pass);
}

TEST_CASE("time and memory of a GPU are its own") {
    Plan plan;
    Ladder ladder = planted::memory(plan, planted::linear_bytes);
    for (Point& point : ladder.points) {
        point.memory_source = MemorySource::gpu;
        for (Repeat& repeat : point.repeats) {
            repeat.gpu_seconds = 1e-3;
            repeat.gpu_bytes = 4096 * point.n;
            repeat.stolen = 0.9;
        }
    }
    const Series time = series_of(ladder, Quantity::time), memory = series_of(ladder, Quantity::memory);
    CHECK(time.samples[0].values[0] == 1e-3);
    CHECK(time.samples[0].disturbance == 0);
    CHECK(memory.samples[0].values[0] == 4096 * 512);
}
