// forward_body for bf16, heads of up to 64 channels.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/forward_body.hpp"
#include "gpu/machine/device.cuh"

namespace dca::gpu::cuda {
namespace {
using Params = ForwardParams<std::uint16_t, float>;
constexpr ForwardTile wide = forward_tiles[0], narrow = forward_tiles[1];
static_assert(wide.head_dim == 64 && narrow.head_dim == 64);
}  // namespace

extern "C" __global__ void __launch_bounds__(wide.threads, wide.blocks_per_sm)
    dca_forward_bf16_d64_wide(const __grid_constant__ Params p) {
    forward_body<Device, Bf16, wide>(p);
}
extern "C" __global__ void __launch_bounds__(narrow.threads, narrow.blocks_per_sm)
    dca_forward_bf16_d64_narrow(const __grid_constant__ Params p) {
    forward_body<Device, Bf16, narrow>(p);
}

Kernel forward_bf16_d64(int kernel) {
    return kernel == 0 ? reinterpret_cast<Kernel>(&dca_forward_bf16_d64_wide)
                       : reinterpret_cast<Kernel>(&dca_forward_bf16_d64_narrow);
}

}  // namespace dca::gpu::cuda
