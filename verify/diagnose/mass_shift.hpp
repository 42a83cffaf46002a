// Which keys gained or lost attention mass: the error of a failing output row as a combination of the partial outputs
// of its key chunks (docs/diagnosis.md).
#pragma once

#include <string>
#include <vector>

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

struct MassShift {
    /// Query row block x key chunk: mean change of attention mass over the failing rows looked at, as a part of the
    /// row's mass 1. NaN where no such row, or none that a change of masses explains. Empty values: nothing to show.
    ErrorGrid grid;
    std::vector<std::string> findings;
    std::int64_t rows = 0, explained = 0;  ///< failing rows looked at; those whose error is a change of masses
    double work = 0;                       ///< multiply-adds
};

/// Up to 64 failing rows of the head of `out` with most of them; fewer where the work, about rows x keys x (head_dim +
/// head_dim_v) multiply-adds, would exceed the limit, none where one row exceeds it. Nothing for sparse prefills, and
/// where out is right or missing. Precondition: golden has inputs, results and judge data.
[[nodiscard]] MassShift mass_shift(const golden::CaseData& golden, const golden::Results& candidate,
                                   double multiply_adds);

}  // namespace dca::verify
