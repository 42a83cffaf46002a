// How large an honest candidate's rounding errors are, element by element (docs/chunk_summary.md, S.13).
#pragma once

#include <vector>

#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::chunk_summary {

/// Changes whenever the same case would get other scales.
inline constexpr int error_model_version = 1;

/// One standard deviation per element; gradients where dout is there, else empty.
struct Scales {
    std::vector<float> out;
    Bundle<float> gradients;
};

/// From samples of a computation whose every result is disturbed, against the exact results. Deterministic: the
/// disturbances come from a fixed seed. Precondition: out and gradients are those of the inputs.
[[nodiscard]] Scales error_scales(const Problem& problem, const Inputs& inputs, const std::vector<double>& out,
                                  const Bundle<double>& gradients);

}  // namespace dca::chunk_summary
