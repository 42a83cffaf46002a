#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/verify/measure/planted.hpp"
#include "verify/measure/judge_claim.hpp"

using namespace dca::measure;

namespace {

struct Counts {
    int pass = 0, fail = 0, open = 0;
};

constexpr int trials = 40;

Counts judged(const std::string& claim, const planted::Law& law, double noise, std::uint32_t first_seed,
              const std::vector<std::int64_t>& sizes = planted::Plan{}.sizes) {
    const Claim parsed = parse_claim(claim);
    Counts counts;
    for (int t = 0; t < trials; ++t) {
        planted::Plan plan;
        plan.sizes = sizes;
        plan.noise = noise;
        plan.seed = first_seed + static_cast<std::uint32_t>(t);
        switch (judge_claim(parsed, "candidate", {planted::ladder(plan, law)}).outcome) {
            case ClaimOutcome::pass: ++counts.pass; break;
            case ClaimOutcome::fail: ++counts.fail; break;
            case ClaimOutcome::inconclusive: ++counts.open; break;
        }
    }
    UNSCOPED_INFO(claim << ", noise " << noise << ": " << counts.pass << " pass, " << counts.open << " open, "
                        << counts.fail << " fail of " << trials);
    return counts;
}

}  // namespace

// A verdict is wrong in 5 % of series at most. planted::allowed(40, 0.05) = 8: more happens once in a thousand.
TEST_CASE("true claims on growth are not failed, and passed where the noise is small") {
    const auto law = [](double n, double) { return 1e-9 * n * n; };
    for (const double noise : {0.01, 0.05, 0.3}) {
        const Counts counts = judged("time <= O(n^2)", law, noise, 100);
        CHECK(counts.fail <= planted::allowed(trials, 0.05));
        if (noise == 0.01) CHECK(counts.pass >= trials * 9 / 10);
    }
}

TEST_CASE("false claims on growth are not passed, and failed where the noise is small") {
    // n^2.25 is farther from n^2 than the tolerance of 1 / (2 ln 16384) = 0.05 allows.
    const auto law = [](double n, double) { return 1e-9 * std::pow(n, 2.25); };
    for (const double noise : {0.01, 0.05, 0.3}) {
        const Counts counts = judged("time <= O(n^2)", law, noise, 300);
        CHECK(counts.pass <= planted::allowed(trials, 0.05));
        if (noise == 0.01) CHECK(counts.fail >= trials * 9 / 10);
    }
}

TEST_CASE("on the line itself both mistakes are rare") {
    // Exactly the exponent at which passing ends and failing begins.
    const double edge = 2 + 1 / (2 * std::log(16384.0));
    const auto law = [&](double n, double) { return 1e-9 * std::pow(n, edge); };
    const Counts counts = judged("time <= O(n^2)", law, 0.02, 500);
    CHECK(counts.pass <= planted::allowed(trials, 0.05));
    CHECK(counts.fail <= planted::allowed(trials, 0.05));
}

TEST_CASE("a power that a sum of laws fits nearly as well is no lower bound") {
    // Of n^1.9 at four sizes n + n^2 makes nearly all of the value n^2.
    const auto law = [](double n, double) { return 1e-7 * std::pow(n, 1.9); };
    for (const double noise : {0.02, 0.05}) {
        const Counts counts = judged("time >= O(n^2)", law, noise, 700, {2048, 4096, 8192, 16384});
        CHECK(counts.pass <= planted::allowed(trials, 0.05));
    }
}

namespace {

/// How many of a thousand pairs of ladders whose true ratio is 1.05 pass and fail the claim.
Counts on_the_line(const std::string& claim, const std::vector<std::int64_t>& sizes, int repeats) {
    const Claim parsed = parse_claim(claim);
    Counts counts;
    for (std::uint32_t t = 0; t < 1000; ++t) {
        std::vector<Ladder> both;
        for (const char* name : {"candidate", "plain_causal"}) {
            planted::Plan plan;
            plan.sizes = sizes;
            plan.candidate = name;
            plan.noise = 0.1;
            plan.repeats = repeats;
            plan.seed = 2 * t + (plan.candidate == "candidate" ? 0 : 1);
            const double factor = plan.candidate == "candidate" ? 1.05 : 1;
            both.push_back(planted::ladder(plan, [&](double, double) { return factor * 1e-2; }));
        }
        const ClaimOutcome outcome = judge_claim(parsed, "candidate", both).outcome;
        counts.pass += outcome == ClaimOutcome::pass;
        counts.fail += outcome == ClaimOutcome::fail;
    }
    UNSCOPED_INFO(counts.pass << " passed, " << counts.fail << " failed of 1000");
    return counts;
}

}  // namespace

TEST_CASE("ratios on the line are decided wrongly in a twentieth of series at most") {
    const Counts counts = on_the_line("ratio(time, plain_causal) <= 1.05", {4096}, 9);
    CHECK(counts.pass <= planted::allowed(1000, 0.05));
    CHECK(counts.fail <= planted::allowed(1000, 0.05));
    // Nine rounds: at most one of them below the median in 10 of 512.
    CHECK(counts.pass + counts.fail >= 20);
}

TEST_CASE("many sizes do not add up to more false failures") {
    // Alone, each of six sizes would fail in 10 of 512 series: 11 % together.
    const Counts counts = on_the_line("ratio(time, plain_causal) <= 1.05 at every n", planted::Plan{}.sizes, 9);
    CHECK(counts.pass <= planted::allowed(1000, 0.05));
    CHECK(counts.fail <= planted::allowed(1000, 0.05));
}
