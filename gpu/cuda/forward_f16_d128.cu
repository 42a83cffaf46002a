// forward_body for f16, heads of up to 128 channels.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/forward_body.hpp"
#include "gpu/machine/device.cuh"

namespace dca::gpu::cuda {
namespace {
using Params = ForwardParams<std::uint16_t, float>;
constexpr ForwardTile wide = forward_tiles[2], narrow = forward_tiles[3];
static_assert(wide.head_dim == 128 && narrow.head_dim == 128);
}  // namespace

extern "C" __global__ void __launch_bounds__(wide.threads, wide.blocks_per_sm)
    dca_forward_f16_d128_wide(const __grid_constant__ Params p) {
    forward_body<Device, F16, wide>(p);
}
extern "C" __global__ void __launch_bounds__(narrow.threads, narrow.blocks_per_sm)
    dca_forward_f16_d128_narrow(const __grid_constant__ Params p) {
    forward_body<Device, F16, narrow>(p);
}

Kernel forward_f16_d128(int kernel) {
    return kernel == 2 ? reinterpret_cast<Kernel>(&dca_forward_f16_d128_wide)
                       : reinterpret_cast<Kernel>(&dca_forward_f16_d128_narrow);
}

}  // namespace dca::gpu::cuda
