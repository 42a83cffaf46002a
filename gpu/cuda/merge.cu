// merge_body for every dtype.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/merge_body.hpp"
#include "gpu/machine/device.cuh"

namespace dca::gpu::cuda {

extern "C" __global__ void __launch_bounds__(merge_threads)
    dca_merge_bf16(const __grid_constant__ MergeParams<std::uint16_t, float> p) {
    merge_body<Device, Bf16>(p);
}
extern "C" __global__ void __launch_bounds__(merge_threads)
    dca_merge_f16(const __grid_constant__ MergeParams<std::uint16_t, float> p) {
    merge_body<Device, F16>(p);
}
extern "C" __global__ void __launch_bounds__(merge_threads)
    dca_merge_f32(const __grid_constant__ MergeParams<float, float> p) {
    merge_body<Device, F32>(p);
}
extern "C" __global__ void __launch_bounds__(merge_threads)
    dca_merge_f64(const __grid_constant__ MergeParams<double, double> p) {
    merge_body<Device, F64>(p);
}

Kernel merge_kernel(Dtype dtype) {
    return dtype == Dtype::f64    ? reinterpret_cast<Kernel>(&dca_merge_f64)
           : dtype == Dtype::f32  ? reinterpret_cast<Kernel>(&dca_merge_f32)
           : dtype == Dtype::bf16 ? reinterpret_cast<Kernel>(&dca_merge_bf16)
                                  : reinterpret_cast<Kernel>(&dca_merge_f16);
}

}  // namespace dca::gpu::cuda
