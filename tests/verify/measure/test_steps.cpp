#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/verify/measure/planted.hpp"
#include "verify/measure/judge_claim.hpp"
#include "verify/measure/steps.hpp"

using namespace dca::measure;

namespace {

std::vector<StepFinding> steps(const planted::Plan& plan, const planted::Law& law) {
    return find_steps(series_of(planted::ladder(plan, law), Quantity::time));
}

double capacity(double n, double factor) {
    double held = 512;
    while (held < n) held *= factor;
    return held;
}

}  // namespace

TEST_CASE("a quadratic term that starts late is found, with the size at which it starts") {
    planted::Plan plan;
    plan.sizes = planted::fine_sizes();
    const planted::Law laws[] = {
        [](double n, double) { return 1e-6 * (n + (n > 4096 ? n * n / 8192 : 0)); },
        [](double n, double) { return 1e-6 * (n + (n > 4096 ? (n * n - 4096.0 * 4096) / 4096 : 0)); },
        [](double n, double) { return 1e-9 * (n * n + (n > 4096 ? n * n * n / 8192 : 0)); },
    };
    for (const double noise : {0.0, 0.01, 0.05}) {
        for (const planted::Law& law : laws) {
            plan.noise = noise;
            const auto found = steps(plan, law);
            INFO("noise " << noise);
            REQUIRE(found.size() == 1);
            CHECK(found[0].kind == Step::late_term);
            CHECK(found[0].n == 5793);
            CHECK(found[0].what.find("between n = 4096 and n = 5793") != std::string::npos);
        }
    }
}

TEST_CASE("a buffer that grows in stairs is found") {
    planted::Plan plan;
    plan.sizes = planted::fine_sizes();
    for (const double factor : {2.0, 1.5}) {
        for (const double noise : {0.0, 0.01, 0.03}) {
            plan.noise = noise;
            const auto found = steps(plan, [&](double n, double) { return 1e-6 * (n + capacity(n, factor)); });
            INFO("factor " << factor << ", noise " << noise);
            REQUIRE(found.size() == 1);
            CHECK(found[0].kind == Step::staircase);
            CHECK(found[0].n == 724);
            CHECK(found[0].what.find("by a factor of " + std::string(factor == 2 ? "2 " : "1.5 ")) !=
                  std::string::npos);
        }
    }
    // In powers of two a doubling buffer is a line.
    plan.sizes = {512, 1024, 2048, 4096, 8192, 16384, 32768};
    plan.noise = 0;
    CHECK(steps(plan, [](double n, double) { return 1e-6 * (n + capacity(n, 2)); }).empty());
}

TEST_CASE("smooth laws have no steps") {
    const std::pair<const char*, planted::Law> laws[] = {
        {"n", [](double n, double) { return 1e-6 * n; }},
        {"1 + n", [](double n, double) { return 1e-6 * (4000 + n); }},
        {"n log n", [](double n, double) { return 1e-6 * n * std::log(n); }},
        {"n^1.53", [](double n, double) { return 1e-6 * std::pow(n, 1.53); }},
        {"n + n^2", [](double n, double) { return 1e-6 * (n + n * n / 4096); }},
        {"n^2", [](double n, double) { return 1e-9 * n * n; }},
        {"n + min(n, C)", [](double n, double) { return 1e-6 * (n + 2 * std::min(n, 2048.0)); }},
    };
    for (const auto& [name, law] : laws) {
        for (const bool fine : {false, true}) {
            planted::Plan plan;
            if (fine) plan.sizes = planted::fine_sizes();
            plan.noise = 0;
            INFO(name << (fine ? ", fine" : ""));
            CHECK(steps(plan, law).empty());
        }
    }
}

TEST_CASE("noise is called a step in one of a hundred series at most") {
    constexpr int trials = 60;
    int alarms = 0;
    for (int t = 0; t < trials; ++t) {
        planted::Plan plan;
        plan.noise = t % 2 == 0 ? 0.05 : 0.3;
        plan.seed = static_cast<std::uint32_t>(t);
        plan.sizes.push_back(32768);
        alarms += static_cast<int>(steps(plan, [](double n, double) { return 1e-6 * (500 + n); }).size());
    }
    INFO(alarms << " of " << trials);
    CHECK(alarms <= planted::allowed(trials, 0.01));
}

TEST_CASE("one disturbed size is no step") {
    planted::Plan plan;
    plan.sizes = planted::fine_sizes();
    for (const std::int64_t size : plan.sizes) {
        const auto found = steps(
            plan, [&](double n, double) { return 1e-6 * n * (static_cast<std::int64_t>(n) == size ? 1.4 : 1.0); });
        INFO("n = " << size << (found.empty() ? "" : ": " + found[0].what));
        CHECK(found.empty());
    }
}

TEST_CASE("fewer than six sizes show no step") {
    planted::Plan plan;
    plan.sizes = {512, 1024, 2048, 4096, 8192};
    CHECK(steps(plan, [](double n, double) { return n > 2048 ? n * n : n; }).empty());
}
