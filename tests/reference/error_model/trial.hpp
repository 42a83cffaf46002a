// Random problems and inputs for the calibration of the error model, and the statistics of a kernel's error in units of
// the scale.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "reference/spec/bundles.hpp"
#include "tests/support/honest_kernel.hpp"

namespace dca::test {

/// A problem of 40 to 300 tokens with random chunk settings, head counts, layout (batch, packed, chunked prefill,
/// decode) and rotary settings. A function of its seed.
[[nodiscard]] Problem trial_problem(std::uint64_t seed, Dtype dtype);

/// Unit normal inputs rounded to the dtype; q and k times qk_scale.
[[nodiscard]] Inputs trial_inputs(const Problem& problem, std::uint64_t seed, double qk_scale, bool gradients);

/// Rounds every value to the dtype, after a test has changed some.
void round_inputs(Inputs& inputs, Dtype dtype);

/// Errors of one tensor over any number of runs.
struct Tally {
    std::int64_t elements = 0;
    double worst_element = 0;   ///< largest |error| / sigma
    double worst_row = 0;       ///< largest rms(error) / rms(sigma) over the channels of a row
    double sum_of_squares = 0;  ///< of error / sigma, where sigma > 0
    bool broken = false;        ///< an error where sigma is 0, or a non-finite value that is not expected

    void add(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma,
             std::int64_t channels);
    void add(const Tally& other);
    [[nodiscard]] double rms() const;
};

struct Tallies {
    Tally out, lse, dq, dk, dv;
    void add(const Tallies& other);
    /// Every element within 6 sigma, rows within 2 (out) and 3 (gradients).
    [[nodiscard]] bool accepted() const;
};

[[nodiscard]] std::string describe(const Problem& problem);
/// Worst element / worst row of every tensor.
[[nodiscard]] std::string describe(const Tallies& tallies);

/// What a golden file holds for a problem.
struct Truth {
    Truth(const Problem& problem, const Inputs& inputs);
    Outputs outputs;
    std::optional<Gradients> gradients;
    ErrorScales scales;
};

[[nodiscard]] Tallies judge(const Truth& truth, const KernelResult& result);

}  // namespace dca::test
