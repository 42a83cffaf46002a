// The error model against honest candidates: the oracle's definition evaluated in the case's own number format. Their
// errors must be near the scales, and under the lines of the judge (6 for an element, 2 for a row of the output, 3 for
// a row of a gradient).
#include <cmath>

#include "reference/chunk_summary/error_scale.hpp"
#include "reference/chunk_summary/network.hpp"
#include "reference/chunk_summary/oracle/network.hpp"
#include "tests/reference/chunk_summary/cases.hpp"
#include "tests/reference/chunk_summary/narrow.hpp"
#include "tests/support/catch.hpp"

namespace test = dca::test;
using namespace dca::chunk_summary;
using dca::Dtype;

namespace {

struct Ratios {
    double element = 0, row = 0, rms = 0;
};

double wide(double x) {
    return x;
}
double wide(float x) {
    return double{x};
}
template <Dtype D>
double wide(test::Narrow<D> x) {
    return double{x.value};
}

template <class S>
Ratios ratios(const std::vector<S>& got, const std::vector<double>& exact, const std::vector<float>& sigma,
              std::int64_t channels) {
    Ratios worst;
    const auto length = static_cast<std::size_t>(channels);
    double all_errors = 0, all_squares = 0;
    for (std::size_t begin = 0; begin < got.size(); begin += length) {
        double errors = 0, squares = 0;
        for (std::size_t n = begin; n < begin + length; ++n) {
            const double error = std::abs(wide(got[n]) - exact[n]);
            const double scale = sigma[n];
            worst.element = std::max(worst.element, error == 0 ? 0 : error / scale);
            errors += error * error;
            squares += scale * scale;
        }
        worst.row = std::max(worst.row, errors == 0 ? 0 : std::sqrt(errors / squares));
        all_errors += errors;
        all_squares += squares;
    }
    worst.rms = all_errors == 0 ? 0 : std::sqrt(all_errors / all_squares);
    return worst;
}

std::vector<Problem> calibration_problems(Dtype dtype) {
    using enum Scope;
    std::vector<Problem> problems{test::chunk_problem(attention, 32, 8, 2, 8),
                                  test::chunk_problem(attention, 48, 16, 1, 32),
                                  test::chunk_problem(block, 24, 6, 2, 8), test::chunk_problem(model, 16, 4, 2, 8)};
    problems.back().layers = 2;
    problems.back().embed = 12;
    problems.back().pooling = Pooling::all;
    problems.push_back(problems.back());
    problems.back().pooling = Pooling::last_timestep;
    for (Problem& p : problems) p.dtype = dtype;
    return problems;
}

template <class S>
void calibrate(Dtype dtype, double least) {
    double squares = 0, tensors = 0;
    for (const Problem& problem : calibration_problems(dtype)) {
        for (const std::uint64_t seed : {21, 22, 23}) {
            Inputs inputs = test::chunk_inputs(problem, seed, seed == 23 ? 2 : 1);
            for (auto& tensor : inputs.tensors.of) {
                for (double& value : tensor) value = dca::round_to(dtype, value);
            }
            for (double& value : inputs.dout) value = dca::round_to(dtype, value);
            const std::vector<double> out = forward(problem, inputs);
            const Bundle<double> gradients = backward(problem, inputs);
            const Scales scales = error_scales(problem, inputs, out, gradients);
            const Bundle<S> given = oracle::convert<S>(inputs.tensors);
            std::vector<S> dout;
            for (const double value : inputs.dout) dout.push_back(S(oracle::Quad(value)));

            const auto judge = [&](const std::string& tensor, const Ratios& r, double row_line) {
                CAPTURE(test::describe(problem), seed, tensor, r.element, r.row, r.rms);
                CHECK(r.element <= 6);
                CHECK(r.row <= row_line);
                squares += r.rms * r.rms;
                ++tensors;
            };
            judge("out", ratios(oracle::forward(problem, given), out, scales.out, problem.hidden), 2);
            const Bundle<S> got = oracle::backward(problem, given, dout);
            for (const TensorId id : all_tensors) {
                if (!has(problem, id)) continue;
                judge(gradient_name(id),
                      ratios(got[id], gradients[id], scales.gradients[id], judged_extents(problem, id).back()), 3);
            }
        }
    }
    const double overall = std::sqrt(squares / tensors);
    CAPTURE(name(dtype), overall);
    CHECK(overall <= 1);
    CHECK(overall >= least);
}

}  // namespace

TEST_CASE("chunk summary: honest float candidates are near their expected error") {
    calibrate<float>(Dtype::f32, 0.4);
}

TEST_CASE("chunk summary: honest bf16 candidates are near their expected error") {
    calibrate<test::Narrow<Dtype::bf16>>(Dtype::bf16, 0.4);
}

TEST_CASE("chunk summary: honest f16 candidates are near their expected error") {
    calibrate<test::Narrow<Dtype::f16>>(Dtype::f16, 0.4);
}

TEST_CASE("chunk summary: honest double candidates are near their expected error") {
    calibrate<double>(Dtype::f64, 0.4);
}

TEST_CASE("chunk summary: candidates in tf32 stay under the lines") {
    calibrate<test::Narrow<Dtype::tf32>>(Dtype::tf32, 0.2);
}
