// forward_f64_body: mma.m16n8k16 in f64 needs sm_90.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/forward_f64_body.hpp"
#include "gpu/machine/device.cuh"

namespace dca::gpu::cuda {
namespace {
using Params = ForwardParams<double, double>;
using D64 = TileConfigF64<64>;
using D128 = TileConfigF64<128>;
}  // namespace

extern "C" __global__ void __launch_bounds__(D64::threads) dca_forward_f64_d64(const __grid_constant__ Params p) {
    forward_f64_body<Device, D64>(p);
}
extern "C" __global__ void __launch_bounds__(D128::threads) dca_forward_f64_d128(const __grid_constant__ Params p) {
    forward_f64_body<Device, D128>(p);
}

Kernel forward_f64(int head_dim) {
    return head_dim == 64 ? reinterpret_cast<Kernel>(&dca_forward_f64_d64)
                          : reinterpret_cast<Kernel>(&dca_forward_f64_d128);
}

}  // namespace dca::gpu::cuda
