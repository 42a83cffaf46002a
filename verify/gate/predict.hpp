// What a case will cost, before anything is computed: a prediction from its sizes, and said to be one.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::verify {

struct Prediction {
    std::int64_t input_bytes = 0;   ///< tensor data of a file of its inputs, exactly; headers add a few KiB
    std::int64_t golden_bytes = 0;  ///< the same of its golden file
    std::int64_t memory_bytes = 0;  ///< resident memory at the peak, without what the candidate takes for itself
    double work = 0;                ///< of the expected values, in multiply-adds or as long as these take
};

/// A case that must be rejected costs nothing but a share of being looked at.
[[nodiscard]] Prediction predict(const golden::CaseSpec& spec);

/// Seconds that a unit of work takes here and now: the expected values of one known case, timed up to 20 times within
/// half a second, the fastest counting.
[[nodiscard]] double seconds_per_work();

}  // namespace dca::verify
