// The words after --predict.
#pragma once

#include <string_view>

#include "verify/measure/predict.hpp"

namespace dca::measure {

/// "n=1M C=256K w=16K heads=32 kv_heads=8 head_dim=128 layers=32 batch=1 bytes=2 gpu_flops=4e14 other_gb=16": words
/// key=value in any order, n is required; C is 32K (at most n) and w C / 8 unless given. Throws InvalidProblem naming
/// the word.
[[nodiscard]] PlanRequest parse_plan_request(std::string_view text);

}  // namespace dca::measure
