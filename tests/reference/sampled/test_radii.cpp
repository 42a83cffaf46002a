// The radii against the definition in binary128.
#include <cmath>

#include "reference/oracle/attention.hpp"
#include "tests/reference/sampled/whole_tensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

using oracle::Quad;

double distance(double got, Quad exact) {
    if (std::isinf(got)) return got < 0 && exact < Quad(-1e300) ? 0 : INFINITY;
    const Quad difference = static_cast<Quad>(got) - exact;
    return static_cast<double>(difference < 0 ? -difference : difference);
}

/// Largest distance of sampled rows of the query axis from the exact tensor.
double of_rows(const Tensor4& got, const Tensor<Quad, 4>& exact, const std::vector<std::int64_t>& rows) {
    double largest = 0;
    for (std::int64_t b = 0; b < got.extent(0); ++b) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
            for (std::int64_t h = 0; h < got.extent(2); ++h) {
                for (std::int64_t c = 0; c < got.extent(3); ++c) {
                    const double value = got(b, static_cast<std::int64_t>(r), h, c);
                    largest = std::max(largest, distance(value, exact(b, rows[r], h, c)));
                }
            }
        }
    }
    return largest;
}

double of_all(const std::vector<double>& got, const Tensor<Quad, 4>& exact) {
    double largest = 0;
    for (std::size_t n = 0; n < got.size(); ++n) largest = std::max(largest, distance(got[n], exact.values()[n]));
    return largest;
}

}  // namespace

TEST_CASE("every element is within the radius, and the radius is not idle") {
    double closest = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const Problem problem = random_problem(seed);
        if (problem.packed()) continue;
        CAPTURE(seed, describe(problem));
        Inputs inputs = random_inputs(problem, seed, seed % 2 == 0 ? 1.0 : 2.0);
        const auto rows = some_rows(problem.shape.seq_q, 9, seed);
        mask_dout(inputs, rows);
        const SampledRun run = run_sampled(problem, inputs, rows);
        const auto exact = oracle::forward<Quad>(problem, inputs);
        const auto gradients = oracle::backward<Quad>(problem, inputs);
        const reference::sampled::Radii& radii = run.rows.radii;
        double lse = 0;
        for (std::int64_t b = 0; b < problem.shape.batch; ++b) {
            for (std::int64_t h = 0; h < problem.shape.heads_q; ++h) {
                for (std::size_t r = 0; r < rows.size(); ++r) {
                    lse = std::max(lse, distance(run.rows.outputs.lse(b, h, static_cast<std::int64_t>(r)),
                                                 exact.lse(b, h, rows[r])));
                }
            }
        }
        const double errors[] = {of_rows(run.rows.outputs.out, exact.out, rows), lse,
                                 of_rows(*run.rows.dq, gradients.dq, rows), of_all(run.dk, gradients.dk),
                                 of_all(run.dv, gradients.dv)};
        const double bounds[] = {radii.out, radii.lse, radii.dq, radii.dk, radii.dv};
        for (int n = 0; n < 5; ++n) {
            CAPTURE(n);
            CHECK(errors[n] <= bounds[n]);
            if (bounds[n] > 0) closest = std::max(closest, errors[n] / bounds[n]);
        }
    }
    // A bound that is thousands of times the error would hide mistakes of the derivation.
    CHECK(closest >= 1e-3);
}
