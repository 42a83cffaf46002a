// How the merge kernel (gpu/kernels/merge_body.hpp) is launched: for the host and for the kernel.
#pragma once

#include <cstdint>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

inline constexpr int merge_threads = 128;

/// Threads that share a row of out: one per 16 bytes begun.
constexpr DCA_DEVICE int merge_vectors(int head_dim_v, int element_bytes) {
    return (head_dim_v * element_bytes + 15) / 16;
}

/// Consecutive query rows of one head that a block merges.
constexpr DCA_DEVICE int merge_rows(int head_dim_v, int element_bytes) {
    const int rows = merge_threads / merge_vectors(head_dim_v, element_bytes);
    return rows > 0 ? rows : 1;
}

/// Blocks along x; y counts heads and z batch entries. No shared memory.
constexpr DCA_DEVICE std::int64_t merge_blocks(std::int64_t seq_q, int head_dim_v, int element_bytes) {
    const int rows = merge_rows(head_dim_v, element_bytes);
    return (seq_q + rows - 1) / rows;
}

}  // namespace dca::gpu
