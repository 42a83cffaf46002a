#include <cmath>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/verify/measure/planted.hpp"
#include "verify/measure/judge_claim.hpp"

using namespace dca::measure;
using planted::Plan;

namespace {

ClaimVerdict judge(const std::string& claim, const Ladder& ladder) {
    ClaimVerdict verdict = judge_claim(parse_claim(claim), ladder.candidate, {ladder});
    UNSCOPED_INFO(claim << ": " << name(verdict.outcome) << ": " << verdict.reason << " [" << verdict.decided_by
                        << "]");
    CHECK((verdict.outcome == ClaimOutcome::inconclusive) == !verdict.decided_by.empty());
    CHECK(!verdict.reason.empty());
    return verdict;
}

ClaimOutcome outcome(const std::string& claim, const Ladder& ladder) {
    return judge(claim, ladder).outcome;
}

constexpr auto pass = ClaimOutcome::pass, fail = ClaimOutcome::fail, open = ClaimOutcome::inconclusive;

double linear(double n, double) {
    return 3e5 + 2048 * n;
}
double with_scores(double n, double) {
    return 3e5 + 2048 * n + 8 * n * n;
}

}  // namespace

TEST_CASE("linear memory is linear, and a planted score matrix is not") {
    for (const double noise : {0.0, 0.01, 0.03}) {
        Plan plan;
        plan.noise = noise;
        INFO("noise " << noise);
        CHECK(outcome("memory <= O(n)", planted::memory(plan, linear)) == pass);
        CHECK(outcome("memory <= O(n^2)", planted::memory(plan, linear)) == pass);
        CHECK(outcome("memory >= O(n^2)", planted::memory(plan, linear)) == fail);
        CHECK(outcome("memory <= O(1)", planted::memory(plan, linear)) == fail);
        CHECK(outcome("memory <= O(n)", planted::memory(plan, with_scores)) == fail);
        CHECK(outcome("memory <= O(n log n)", planted::memory(plan, with_scores)) == fail);
        CHECK(outcome("memory <= O(n^2)", planted::memory(plan, with_scores)) == pass);
    }
}

TEST_CASE("a large constant does not hide a score matrix") {
    // 200 MB of start-up beside 8 n^2 bytes, 2 MB to 2 GB: without an offset the exponent would be below 1.
    Plan plan;
    const auto law = [](double n, double) { return 2e8 + 8 * n * n; };
    CHECK(outcome("memory <= O(n)", planted::memory(plan, law)) == fail);
    const ClaimVerdict verdict = judge("memory == O(n^2)", planted::memory(plan, law));
    CHECK(verdict.outcome == pass);
    REQUIRE(verdict.measured);
    // delta of docs/measure.md, 1 / (2 ln n) at the largest size.
    CHECK(verdict.measured->value == Approx(2).margin(0.05));
}

TEST_CASE("an exponent of two is found, and three is not two") {
    Plan plan;
    CHECK(outcome("time <= O(n^2)", planted::ladder(plan, planted::quadratic_time)) == pass);
    CHECK(outcome("time == O(n^2)", planted::ladder(plan, planted::quadratic_time)) == pass);
    CHECK(outcome("time >= O(n^2)", planted::ladder(plan, planted::quadratic_time)) == pass);
    const auto slow = [](double n, double) { return 1e-12 * n * n * n; };
    CHECK(outcome("time <= O(n^2)", planted::ladder(plan, slow)) == fail);
    CHECK(outcome("time <= O(n^3)", planted::ladder(plan, slow)) == pass);
    CHECK(outcome("cpu <= O(n^2)", planted::ladder(plan, slow)) == fail);
}

TEST_CASE("a factor log n is told from none where the noise allows it") {
    const auto law = [](double n, double) { return 1e-7 * n * std::log(n); };
    Plan plan;
    plan.sizes = planted::fine_sizes();
    plan.noise = 0.003;
    CHECK(outcome("time <= O(n)", planted::ladder(plan, law)) == fail);
    CHECK(outcome("time <= O(n log n)", planted::ladder(plan, law)) == pass);
    plan.noise = 0.3;
    CHECK(outcome("time <= O(n)", planted::ladder(plan, law)) != pass);
}

TEST_CASE("a sum of n and n^2 grows at least as n^2, a power below 2 does not") {
    // The exponent of 8 x + x^2 at x = 32 is 1.8.
    Plan plan;
    plan.sizes = planted::fine_sizes();
    plan.noise = 0.002;
    const auto sum = [](double n, double) { return 1e-3 * (8 * n / 512 + n * n / 512 / 512); };
    CHECK(outcome("time >= O(n^2)", planted::ladder(plan, sum)) == pass);
    CHECK(outcome("time <= O(n^2)", planted::ladder(plan, sum)) == pass);
    CHECK(outcome("time == O(n^2)", planted::ladder(plan, sum)) == pass);
    const auto power = [](double n, double) { return 1e-6 * std::pow(n, 1.5); };
    CHECK(outcome("time >= O(n^2)", planted::ladder(plan, power)) == fail);
    CHECK(outcome("time == O(n^2)", planted::ladder(plan, power)) == fail);
    CHECK(outcome("time >= O(n^1.5)", planted::ladder(plan, power)) == pass);
}

TEST_CASE("what does not grow is bounded by everything") {
    for (const double noise : {0.0, 0.01}) {
        Plan plan;
        plan.noise = noise;
        const auto constant = [](double, double) { return 5e6; };
        CHECK(outcome("memory <= O(n)", planted::memory(plan, constant)) == pass);
        CHECK(outcome("memory <= O(1)", planted::memory(plan, constant)) == pass);
        CHECK(outcome("memory >= O(n)", planted::memory(plan, constant)) != pass);
    }
}

TEST_CASE("a late quadratic step fails a linear claim, and is named with the size at which it starts") {
    // Below n = 4096 the code is linear; above, it writes out n^2 / 2 scores.
    const auto law = [](double n, double) { return 2048 * n + (n > 4096 ? n * n / 2 : 0); };
    for (const double noise : {0.0, 0.01}) {
        Plan plan;
        plan.sizes = planted::fine_sizes();
        plan.noise = noise;
        const ClaimVerdict verdict = judge("memory <= O(n)", planted::memory(plan, law));
        CHECK(verdict.outcome == fail);
        REQUIRE(verdict.steps.size() == 1);
        CHECK(verdict.steps[0].kind == Step::late_term);
        CHECK(verdict.steps[0].n == 5793);
        CHECK(verdict.reason.find("starts between n = 4096 and n = 5793") != std::string::npos);
    }
}

TEST_CASE("a late term that all sizes together would hide keeps a claim from passing") {
    // 11 % of the value at n = 16384, nothing at 8192: the exponent of all sizes is 1.01.
    const auto law = [](double n, double) { return 2048 * n + (n > 8192 ? n * n / 64 : 0); };
    Plan plan;
    plan.sizes = planted::fine_sizes();
    plan.noise = 0;
    const ClaimVerdict verdict = judge("memory <= O(n)", planted::memory(plan, law));
    CHECK(verdict.outcome == fail);
    REQUIRE(verdict.measured);
    // ln(2304 * 16384 / (2229 * 11585)) / ln(16384 / 11585) = 1.095
    CHECK(verdict.measured->value == Approx(1.095).margin(0.002));
}

TEST_CASE("a small quadratic term that is there for sure is not passed over") {
    // 2.4 % of the value at n = 16384: the exponent is within the tolerance, the term is not nothing.
    const auto law = [](double n, double) { return 2048 * n + n * n / 320; };
    Plan plan;
    plan.noise = 0;
    const ClaimVerdict verdict = judge("memory <= O(n)", planted::memory(plan, law));
    CHECK(verdict.outcome != pass);
    CHECK(verdict.reason.find("n^2") != std::string::npos);
}

TEST_CASE("a buffer that doubles is named") {
    const auto law = [](double n, double) {
        double held = 512;
        while (held < n) held *= 2;
        return 4096 * held;
    };
    Plan plan;
    plan.sizes = planted::fine_sizes();
    plan.noise = 0;
    const ClaimVerdict verdict = judge("memory <= O(n)", planted::memory(plan, law));
    CHECK(verdict.outcome != fail);
    REQUIRE(verdict.steps.size() == 1);
    CHECK(verdict.steps[0].kind == Step::staircase);
}

TEST_CASE("disturbed runs decide nothing") {
    Plan plan;
    plan.noise = 0.3;
    CHECK(outcome("time <= O(n^2)", planted::ladder(plan, planted::quadratic_time)) == open);
    CHECK(outcome("time == O(n^2)", planted::ladder(plan, planted::quadratic_time)) == open);
    plan.noise = 0.01;
    plan.stolen = 0.4;
    CHECK(outcome("time <= O(n^2)", planted::ladder(plan, planted::quadratic_time)) == open);
    // Whole sizes were slowed down, all repeats alike.
    plan.stolen = 0;
    const auto disturbed = [](double n, double) { return 1e-9 * n * n * (n == 1024 ? 1.5 : n == 8192 ? 1.6 : 1); };
    const ClaimVerdict verdict = judge("time <= O(n^2)", planted::ladder(plan, disturbed));
    CHECK(verdict.outcome == open);
    CHECK(verdict.decided_by.find("quieter machine") != std::string::npos);
}

TEST_CASE("an inconclusive verdict says how many repeats would do") {
    Plan plan;
    plan.noise = 0.1;
    const ClaimVerdict verdict = judge("time <= O(n^2)", planted::ladder(plan, planted::quadratic_time));
    CHECK(verdict.outcome == open);
    CHECK(verdict.decided_by.find(" repeats of each size instead of 7") != std::string::npos);
}

TEST_CASE("what is missing is no pass") {
    Plan plan;
    const Ladder whole = planted::memory(plan, linear);
    CHECK(judge_claim(parse_claim("memory <= O(n)"), "other", {whole}).outcome == open);
    CHECK(judge_claim(parse_claim("memory <= O(n)"), "other", {whole}).reason == "nothing was measured of other");
    Ladder none = whole;
    for (Point& point : none.points) {
        for (Repeat& repeat : point.repeats) repeat.peak_bytes.reset();
    }
    CHECK(outcome("memory <= O(n)", none) == open);
    plan.sizes = {512, 1024, 2048};
    CHECK(outcome("memory <= O(n)", planted::memory(plan, linear)) == open);
    CHECK(outcome("memory <= O(n)", Ladder{.candidate = "candidate", .setting = {}, .points = {}}) == open);
    // The largest size was killed for memory: the upper bound is not shown, the lower bound is.
    Ladder killed = planted::memory(Plan{}, linear);
    killed.points.push_back(planted::failed(32768, "killed for memory"));
    const ClaimVerdict verdict = judge("memory <= O(n)", killed);
    CHECK(verdict.outcome == open);
    CHECK(verdict.reason.find("n = 32768 was not measured: killed for memory") != std::string::npos);
    CHECK(outcome("memory >= O(n)", killed) == pass);
}

namespace {

/// A ladder in n at C = 256 and one in C at n = 16384.
Ladder crossed(const planted::Law& bytes, double noise = 0.005) {
    Plan plan;
    plan.noise = noise;
    Ladder ladder = planted::memory(plan, bytes);
    Draws draws(2, 2);
    Point last = ladder.points.back();
    ladder.points.pop_back();
    for (const std::int64_t c : {64, 128}) {
        ladder.points.push_back(planted::point(plan, 16384, c, planted::quadratic_time, bytes, draws));
    }
    ladder.points.push_back(last);
    for (const std::int64_t c : {512, 1024, 2048}) {
        ladder.points.push_back(planted::point(plan, 16384, c, planted::quadratic_time, bytes, draws));
    }
    return ladder;
}

}  // namespace

TEST_CASE("claims in n and chunk_size need a ladder of each") {
    const auto scores_of_a_chunk = [](double n, double c) { return 2048 * n + 8 * n * c; };
    CHECK(outcome("memory <= O(n*c)", crossed(scores_of_a_chunk)) == pass);
    CHECK(outcome("memory <= O(n*c)", crossed(linear)) == pass);
    CHECK(outcome("memory <= O(n*c)", crossed(with_scores)) == fail);
    CHECK(outcome("memory <= O(n*c)", crossed([](double n, double c) { return n * c * c; })) == fail);
    const ClaimVerdict no_chunks = judge("memory <= O(n*c)", planted::memory(Plan{}, scores_of_a_chunk));
    CHECK(no_chunks.outcome == open);
    CHECK(no_chunks.measured_name == "exponent of n");
    CHECK(no_chunks.decided_by == "a ladder of 4 sizes or more of chunk_size at one n");
    CHECK(outcome("memory <= O(n)", crossed(linear)) == pass);
}

TEST_CASE("a sum of terms is claimed of both, and n^2 is more than either bounds") {
    const auto summaries = [](double n, double c) { return 8 * n * c + 8 * (n / c) * (n / c) + 4096 * n; };
    CHECK(outcome("memory <= O(n*c + (n/c)^2)", crossed(summaries)) == pass);
    CHECK(outcome("memory <= O(n*c + (n/c)^2)", crossed(with_scores)) == fail);
    CHECK(outcome("memory <= O(c^2 + (n/c)^2)", crossed(summaries)) == fail);
    CHECK(outcome("memory <= O(n*c + (n/c)^2)", planted::memory(Plan{}, summaries)) == open);
    CHECK(outcome("memory >= O(n*c + (n/c)^2)", crossed(summaries)) == open);
}

TEST_CASE("counted pairs are dense whatever the chunk_size") {
    Ladder ladder = crossed(linear);
    for (Point& point : ladder.points) point.elements = {point.n, point.n, point.n * (point.n - 3) / 2};
    CHECK(outcome("elements == O(n^2)", ladder) == pass);
    CHECK(outcome("elements <= O(n*c)", ladder) == fail);
    CHECK(outcome("elements <= O(n*c + (n/c)^2)", ladder) == fail);
}
