// rotate_body for every dtype.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/rotate_body.hpp"
#include "gpu/machine/device.cuh"

namespace dca::gpu::cuda {

extern "C" __global__ void __launch_bounds__(rotate_threads)
    dca_rotate_bf16(const __grid_constant__ RotateParams<std::uint16_t, float> p) {
    rotate_body<Device, Bf16>(p);
}
extern "C" __global__ void __launch_bounds__(rotate_threads)
    dca_rotate_f16(const __grid_constant__ RotateParams<std::uint16_t, float> p) {
    rotate_body<Device, F16>(p);
}
extern "C" __global__ void __launch_bounds__(rotate_threads)
    dca_rotate_f64(const __grid_constant__ RotateParams<double, double> p) {
    rotate_body<Device, F64>(p);
}

Kernel rotate_kernel(Dtype dtype) {
    return dtype == Dtype::f64    ? reinterpret_cast<Kernel>(&dca_rotate_f64)
           : dtype == Dtype::bf16 ? reinterpret_cast<Kernel>(&dca_rotate_bf16)
                                  : reinterpret_cast<Kernel>(&dca_rotate_f16);
}

}  // namespace dca::gpu::cuda
