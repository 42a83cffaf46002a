// The figures of "How well it agrees" in docs/dialects.md, one row for each dialect and number format of the
// recordings. tests/recordings computes them again and compares the text.
#include <array>

#include "verify/hazards/document.hpp"

namespace dca::hazards {
namespace {

constexpr std::string_view float32_rounding = "float32 rounding of the recorded run";
constexpr std::string_view peaked = "float32 rounding of the recorded run; the largest is meg_peaked (q and k times 3)";
constexpr std::string_view every_bit =
    "every bit, once the result is rounded to bf16; gradients: each step of the "
    "recorded backward pass was rounded to bf16";

constexpr std::array<Agreement, 14> rows{{
    {"megatron_pr4048", "f64", 1, "out 8.1e-08 (relative L2 4.6e-08), gradients 1.3e-07",
     "softmax and table in float32 under f64 (H33)"},
    {"megatron_pr4048", "f32", 21, "out 2.9e-06 (relative L2 3.3e-07), gradients 2.9e-06", peaked},
    {"megatron_pr4048", "bf16", 1, "out 1.3e-02 (relative L2 4.8e-03), gradients 2.2e-02",
     "scores and probabilities in bf16 (not emulated), and a machine that summed P V in bf16"},
    {"megatron_bridge_pr4185", "f64", 15, "out 3.8e-15 (relative L2 4.6e-16), gradients 6.7e-15", "double rounding"},
    {"megatron_bridge_pr4185", "f32", 4, "out 3.3e-07 (relative L2 1.3e-07), gradients 6.9e-07", float32_rounding},
    {"megatron_bridge_pr4185", "bf16", 1, "out 3.7e-03 (relative L2 1.5e-03), gradients 1.2e-02", every_bit},
    {"chunkllama", "f64", 1, "out 5.4e-08 (relative L2 2.0e-08), gradients 2.2e-07",
     "float32 cos and sin of another library, one unit off in places"},
    {"chunkllama", "f32", 10, "out 5.8e-07 (relative L2 1.4e-07), gradients 6.4e-07", float32_rounding},
    {"chunkllama", "bf16", 1, "out 3.9e-03 (relative L2 1.7e-03), gradients 1.2e-02", every_bit},
    {"chunkqwen", "f32", 4, "out 3.7e-07 (relative L2 1.6e-07), gradients 3.6e-07", float32_rounding},
    {"vllm", "f32", 12, "out 3.7e-07 (relative L2 9.8e-08)", float32_rounding},
    {"chunkllama_flash_decoding", "f32", 4, "out 2.4e-07 (relative L2 5.8e-08)", float32_rounding},
    {"vllm_fork", "f32", 13, "out 3.6e-07 (relative L2 1.1e-07)", float32_rounding},
    {"sglang", "f32", 12, "out 2.8e-07 (relative L2 8.5e-08)", float32_rounding},
}};

}  // namespace

std::span<const Agreement> agreements() {
    return rows;
}

}  // namespace dca::hazards
