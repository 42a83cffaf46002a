// The bf16 and f16 kernels, as they ship, on the emulated machine: pre-pass and forward, over the tiles of the plan.
#pragma once

#include "gpu/api/kernel_params.hpp"
#include "gpu/machine/emulated_block.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::test {

struct Launch16 {
    gpu::emulated::LaunchOptions options = {};
    std::uint32_t modes = gpu::mode_all;
    /// Channels between the heads of q, k and out, and elements before their first: with an odd number no row begins at
    /// a multiple of 16 bytes, and no vector can be loaded or stored.
    int gap = 0, shift = 0;
};

/// Values of q, k, v rounded to the problem's dtype, bf16 or f16.
[[nodiscard]] Inputs rounded(const Problem& problem, Inputs inputs);

/// Throws where the kernel leaves an element of out or lse unwritten, or writes between heads.
[[nodiscard]] Outputs forward_16bit(const Problem& problem, const Inputs& inputs, const Launch16& launch = {},
                                    gpu::emulated::LaunchStats* stats = nullptr);

/// k as the pre-pass turns it, (batch, seq_k, heads_kv, padded head_dim).
[[nodiscard]] Tensor4 rotated_keys(const Problem& problem, const Inputs& inputs, const Launch16& launch = {});

}  // namespace dca::test
