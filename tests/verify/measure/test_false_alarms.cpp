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

Counts judged(const std::string& claim, const planted::Law& law, double noise, std::uint32_t first_seed) {
    const Claim parsed = parse_claim(claim);
    Counts counts;
    for (int t = 0; t < trials; ++t) {
        planted::Plan plan;
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

TEST_CASE("ratios on the line are decided wrongly in a twentieth of series at most") {
    constexpr int many = 1000;
    const Claim claim = parse_claim("ratio(time, plain_causal) <= 1.05");
    int passed = 0, failed = 0;
    for (int t = 0; t < many; ++t) {
        std::vector<Ladder> both;
        for (const char* name : {"candidate", "plain_causal"}) {
            planted::Plan plan;
            plan.sizes = {4096};
            plan.candidate = name;
            plan.noise = 0.1;
            plan.seed = static_cast<std::uint32_t>(2 * t + (plan.candidate == "candidate" ? 0 : 1));
            const double factor = plan.candidate == "candidate" ? 1.05 : 1;
            both.push_back(planted::ladder(plan, [&](double, double) { return factor * 1e-2; }));
        }
        const ClaimOutcome outcome = judge_claim(claim, "candidate", both).outcome;
        passed += outcome == ClaimOutcome::pass;
        failed += outcome == ClaimOutcome::fail;
    }
    INFO(passed << " passed, " << failed << " failed of " << many);
    CHECK(passed <= planted::allowed(many, 0.05));
    CHECK(failed <= planted::allowed(many, 0.05));
    // Seven rounds: the smallest of seven is above the median in 1 of 128.
    CHECK(passed + failed >= 1);
}
