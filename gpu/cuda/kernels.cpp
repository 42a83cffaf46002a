#include "gpu/cuda/kernels.hpp"

#include "reference/spec/error.hpp"

namespace dca::gpu::cuda {

Kernel forward_kernel(Dtype dtype, int head_dim, int kernel) {
    if (dtype == Dtype::f64) return forward_f64(head_dim);
    expects(dtype == Dtype::bf16 || dtype == Dtype::f16, "forward kernels are for bf16, f16 and f64");
    expects(head_dim == 64 || head_dim == 128, "forward kernels have 64 or 128 channels");
    if (dtype == Dtype::bf16) return head_dim == 64 ? forward_bf16_d64(kernel) : forward_bf16_d128(kernel);
    return head_dim == 64 ? forward_f16_d64(kernel) : forward_f16_d128(kernel);
}

}  // namespace dca::gpu::cuda
