#include "gpu/cuda/device_plan.cuh"

#include <type_traits>
#include <utility>
#include <vector>

#include "gpu/cuda/kernels.hpp"

namespace dca::gpu::cuda {
namespace {

constexpr std::uint64_t alignment = 256;

int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, device), "asking for an attribute of the CUDA device");
    return value;
}

int current_device() {
    int device = 0;
    check(cudaGetDevice(&device), "asking for the current CUDA device");
    return device;
}

/// Loads a kernel now, which a call that is being captured in a graph might not be allowed to.
void load(const void* kernel) {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, kernel), "loading a kernel");
}

/// More than 48 KiB of dynamic shared memory must be asked for, once per kernel and device.
void allow_shared_memory(const void* kernel, int bytes, int device) {
    const int most = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (bytes > most) {
        throw Unsupported("a block of this kernel needs " + std::to_string(bytes) +
                          " bytes of shared memory, the CUDA device has " + std::to_string(most));
    }
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
          "asking for shared memory of a kernel");
}

}  // namespace

Support device_supports(Dtype dtype) {
    int driver = 0, devices = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return {"no CUDA driver is installed"};
    if (const cudaError_t status = cudaGetDeviceCount(&devices); status != cudaSuccess || devices == 0) {
        cudaGetLastError();  // so that the next call does not report this one again
        return {std::string("no CUDA device answers: ") +
                cudaGetErrorString(status != cudaSuccess ? status : cudaErrorNoDevice)};
    }
    const int device = current_device(), major = attribute(cudaDevAttrComputeCapabilityMajor, device);
    const int needed = dtype == Dtype::f64 ? 9 : 8;
    if (major >= needed) return {};
    return {"the kernels for " + std::string(name(dtype)) + " need compute capability " + std::to_string(needed) +
            ".0, the CUDA device has " + std::to_string(major) + "." +
            std::to_string(attribute(cudaDevAttrComputeCapabilityMinor, device))};
}

DevicePlan::DevicePlan(Problem problem) : problem_(std::move(problem)), plan_(host::make_plan(problem_)) {
    if (const Support support = device_supports(problem_.dtype); !support.ok()) throw Unsupported(support.reason);
    device_ = current_device();
    const host::TileShape& shape = plan_.shape;
    load(rotate_kernel(problem_.dtype));
    load(merge_kernel(problem_.dtype));
    allow_shared_memory(forward_kernel(problem_.dtype, shape.head_dim, shape.kernel), shape.shared_bytes, device_);
    query_tiles_ = DeviceBuffer<QueryTile>(std::span<const QueryTile>(plan_.query_tiles));
    key_tiles_ = DeviceBuffer<KeyTile>(std::span<const KeyTile>(plan_.key_tiles));
    if (problem_.dtype == Dtype::f64) {
        angles64_ = DeviceBuffer<double>(std::span<const double>(plan_.angles));
    } else {
        const std::vector<float> rounded(plan_.angles.begin(), plan_.angles.end());
        angles_ = DeviceBuffer<float>(std::span<const float>(rounded));
    }
    check(cudaDeviceSynchronize(), "uploading a plan");
}

std::uint64_t DevicePlan::padded_bytes() const {
    const std::uint64_t element = problem_.dtype == Dtype::f64 ? 8 : 2;
    const auto elements = static_cast<std::uint64_t>(host::padded_elements(problem_.shape, plan_));
    return (elements * element + alignment - 1) / alignment * alignment;
}

std::uint64_t DevicePlan::workspace_bytes() const {
    return padded_bytes() * (plan_.copy_v ? 2 : 1);
}

template <class Element, class Real>
void DevicePlan::attach(host::Call<Element, Real>& call, void* workspace) const {
    auto* bytes = static_cast<unsigned char*>(workspace);
    call.k_rotated = reinterpret_cast<Element*>(bytes);
    call.v_copy = plan_.copy_v ? reinterpret_cast<Element*>(bytes + padded_bytes()) : nullptr;
    if constexpr (std::is_same_v<Real, double>) {
        call.angles = angles64_.data();
    } else {
        call.angles = angles_.data();
    }
    call.query_tiles = query_tiles_.data();
    call.key_tiles = key_tiles_.data();
}

template <class Element, class Real>
void DevicePlan::rotate(const host::Call<Element, Real>& call, cudaStream_t stream) const {
    const host::Launch blocks = host::rotate_launch(problem_, plan_);
    const RotateParams<Element, Real> keys = host::rotate_params(problem_, plan_, call);
    launch(rotate_kernel(problem_.dtype), blocks, &keys, stream);
    if (!plan_.copy_v) return;
    const RotateParams<Element, Real> values = host::copy_params(problem_, plan_, call);
    launch(rotate_kernel(problem_.dtype), blocks, &values, stream);
}

template <class Element, class Real>
void DevicePlan::forward(const host::Call<Element, Real>& call, std::uint32_t modes, cudaStream_t stream) const {
    const ForwardParams<Element, Real> params = host::forward_params(problem_, plan_, call, modes);
    launch(forward_kernel(problem_.dtype, plan_.shape.head_dim, plan_.shape.kernel),
           host::forward_launch(problem_, plan_), &params, stream);
}

void launch(const void* kernel, const host::Launch& launch, const void* params, cudaStream_t stream) {
    if (launch.x == 0 || launch.y == 0 || launch.z == 0) return;
    const dim3 grid(static_cast<unsigned>(launch.x), static_cast<unsigned>(launch.y), static_cast<unsigned>(launch.z));
    void* arguments[] = {const_cast<void*>(params)};  // cudaLaunchKernel copies what it points to
    check(cudaLaunchKernel(kernel, grid, dim3(static_cast<unsigned>(launch.threads)), arguments, launch.shared_bytes,
                           stream),
          "launching a kernel");
}

template void DevicePlan::attach(host::Call<std::uint16_t, float>&, void*) const;
template void DevicePlan::attach(host::Call<double, double>&, void*) const;
template void DevicePlan::rotate(const host::Call<std::uint16_t, float>&, cudaStream_t) const;
template void DevicePlan::rotate(const host::Call<double, double>&, cudaStream_t) const;
template void DevicePlan::forward(const host::Call<std::uint16_t, float>&, std::uint32_t, cudaStream_t) const;
template void DevicePlan::forward(const host::Call<double, double>&, std::uint32_t, cudaStream_t) const;

}  // namespace dca::gpu::cuda
