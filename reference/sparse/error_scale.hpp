// What an honest sparse kernel may be off by, element by element (V.10).
#pragma once

#include <span>

#include "reference/sparse/plan.hpp"

namespace dca::sparse {

/// One standard deviation for out and lse: the error model over the attended pairs alone; +infinity in every row of a
/// segment whose picks are not settled(), because a kernel may attend to other keys there. Rows that attend to nothing
/// have 0. `all`: plans() of the problem under this config; `outputs`: of sparse_forward. Errors as plans().
[[nodiscard]] ErrorScales sparse_error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                              const SparseConfig& config, std::span<const SegmentPlan> all);

}  // namespace dca::sparse
