// One instruction set's inner loop of the comparison. No inline functions of the standard library: this header is
// compiled with instruction sets the machine may lack, and one emitted there could be the one the linker keeps for
// everybody.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dca::verify {

/// What a run of elements adds up to. Every sum has eight interleaved partial sums and a fixed tree, and nothing is
/// contracted, so the bits do not depend on the instruction set.
struct StripSums {
    double error = 0, sigma = 0, expected = 0;  ///< sums of squares
    double worst_ratio = 0;                     ///< largest |error| / sigma; an error of 0 has ratio 0
    std::int64_t bad = 0;                       ///< elements beyond line * sigma
    std::int64_t exact = 0;                     ///< elements without an error
    bool zeros_would_fail = false;              ///< an |expected| is beyond line * sigma
    /// Every expected value, value and error is finite and every sigma finite and at least 0. If not, the rest says
    /// nothing.
    bool plain = false;
};

/// How many ratios fell into each octave (RatioHistogram), one row for each of the eight interleaved elements so that
/// neighbours do not wait for each other. An error of 0 counts as the first octave.
struct OctaveCounts {
    std::uint32_t of[8][32] = {};
};

/// by: what an element adds to the octaves, 1, or -1 to take back what the same call did.
using StripKernel = StripSums (*)(const double* expected, const double* got, const float* sigma, std::size_t count,
                                  double line, OctaveCounts& octaves, std::uint32_t by);

}  // namespace dca::verify
