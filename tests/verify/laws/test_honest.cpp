// Emulated honest kernels of every dtype on random problems: no law is broken, and residuals are as large as
// docs/laws.md says. The hidden test prints its table: build/tests/verify/laws/test_laws "[table]"
#include <array>
#include <cmath>
#include <cstdio>

#include "tests/reference/error_model/trial.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/laws/law_cases.hpp"

namespace dca::test {
namespace {

using verify::all_laws;
using verify::Law;

struct Residuals {
    double sum = 0, worst = 0;
    std::int64_t count = 0;
    [[nodiscard]] double rms() const { return count == 0 ? 0 : std::sqrt(sum / static_cast<double>(count)); }
};

/// By law, over runs of one dtype.
struct Measured {
    std::array<Residuals, all_laws.size()> laws;
    int runs = 0, alarms = 0;

    void add(const verify::LawsCase& report) {
        ++runs;
        alarms += report.verdict != verify::Verdict::passed;
        for (std::size_t n = 0; n < all_laws.size(); ++n) {
            const verify::LawResult& result = report.laws[n];
            laws[n].sum += result.rms * result.rms * static_cast<double>(result.residuals);
            laws[n].count += result.residuals;
            laws[n].worst = std::max(laws[n].worst, result.worst);
        }
    }
};

constexpr std::array dtypes{Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2};
constexpr std::array qk_scales{0.3, 1.0, 3.0};

template <class OnRun>
Measured measure(Dtype dtype, int seeds, OnRun on_run) {
    Measured measured;
    const bool gradients = traits(dtype).storage_bits > 8;
    for (int n = 0; n < seeds; ++n) {
        const auto seed = static_cast<std::uint64_t>(5000 + n);
        const double qk_scale = qk_scales[static_cast<std::size_t>(n) % qk_scales.size()];
        Problem problem = trial_problem(seed, dtype);
        const bool triple = n % 4 == 3 && !problem.packed() && gradients && dtype != Dtype::tf32;
        if (triple) problem.shape.batch = 3;
        const Inputs inputs = triple ? linear_inputs(problem, seed) : trial_inputs(problem, seed, qk_scale, gradients);
        for (const KernelStyle& style : styles_of(dtype)) {
            const verify::LawsCase report = verify::check_laws(run_case(problem, inputs, style));
            on_run(seed, problem, style, report);
            measured.add(report);
        }
    }
    return measured;
}

TEST_CASE("honest kernels of every dtype keep every law") {
    int runs = 0;
    for (Dtype dtype : dtypes) {
        const Measured measured = measure(
            dtype, 12, [&](std::uint64_t seed, const Problem& problem, const KernelStyle& style, const auto& report) {
                INFO(name(dtype) << ", seed " << seed << ", " << describe(problem) << ", " << describe(style) << ": "
                                 << describe(report));
                CHECK(report.verdict == verify::Verdict::passed);
            });
        runs += measured.runs;
        INFO(name(dtype));
        CHECK(measured.alarms == 0);
    }
    CHECK(runs >= 200);
}

TEST_CASE("the table of residuals of honest kernels", "[.table]") {
    std::printf("| dtype | runs | alarms |");
    for (Law law : all_laws) std::printf(" %s |", std::string(verify::name(law)).c_str());
    std::printf("\n");
    for (Dtype dtype : dtypes) {
        const Measured measured = measure(dtype, 40, [](auto&&...) {});
        std::printf("| %s | %d | %d |", std::string(name(dtype)).c_str(), measured.runs, measured.alarms);
        for (const Residuals& law : measured.laws) {
            if (law.count == 0)
                std::printf(" - |");
            else
                std::printf(" %.2f (%.1f) |", law.rms(), law.worst);
        }
        std::printf("\n");
    }
}

}  // namespace
}  // namespace dca::test
