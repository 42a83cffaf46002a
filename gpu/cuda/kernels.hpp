// The kernels as the CUDA runtime takes them: what cudaLaunchKernel is given. Each is defined in a .cu file; this
// header needs no CUDA. Parameters and grids: gpu/host/launch_params.hpp.
#pragma once

#include "reference/spec/dtype.hpp"

namespace dca::gpu::cuda {

using Kernel = const void*;

// Of one dtype and padded head_dim; kernel: an index into forward_tiles with that head_dim.
[[nodiscard]] Kernel forward_bf16_d64(int kernel);
[[nodiscard]] Kernel forward_bf16_d128(int kernel);
[[nodiscard]] Kernel forward_f16_d64(int kernel);
[[nodiscard]] Kernel forward_f16_d128(int kernel);
[[nodiscard]] Kernel forward_f64(int head_dim);

/// For bf16, f16 or f64; merge for f32, too.
[[nodiscard]] Kernel rotate_kernel(Dtype dtype);
[[nodiscard]] Kernel merge_kernel(Dtype dtype);
[[nodiscard]] Kernel forward_kernel(Dtype dtype, int head_dim, int kernel);

}  // namespace dca::gpu::cuda
