// Emulated candidates: attention kernels that make no mistake and round where real ones do. Independent of oracle and
// reference: own positions, masks, rotary tables, softmax. Plain loops, for small problems.
#pragma once

#include <string>

#include "reference/spec/bundles.hpp"

namespace dca::test {

/// Where a kernel rounds. Types follow from Problem::dtype and Problem::work; tables and accumulators are float32, or
/// float64 where the accumulator is.
struct KernelStyle {
    enum class Rotation {
        wide,      ///< in the accumulator's type; q~ and k~ are rounded to the dtype once
        in_dtype,  ///< cos and sin, the products and their sum are each rounded to the dtype
    };
    enum class Softmax {
        online,   ///< flash: tiles of 64 keys, exp2, unnormalised P rounded to the dtype
        unfused,  ///< the whole row, normalised P rounded to the dtype
        merged,   ///< online for each mode apart; its out rounded, merged by lse, product and sum rounded; gradient
                  ///< parts of every mode and head rounded and summed in the dtype
    };
    Rotation rotation = Rotation::wide;
    Softmax softmax = Softmax::online;
    std::int64_t inter_shift = 0;  ///< a mistake: added to P_inter
};

[[nodiscard]] std::string describe(const KernelStyle& style);

struct KernelResult {
    Outputs outputs;
    std::optional<Gradients> gradients;  ///< where inputs.dout is present
};

/// rope_scaling must be none (inv_freq may be given), the accumulator f32 or f64.
[[nodiscard]] KernelResult run_kernel(const Problem& problem, const Inputs& inputs, const KernelStyle& style);

}  // namespace dca::test
