// A plan with its tables on a device, and the launches of one call.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "gpu/api/support.hpp"
#include "gpu/cuda/device_buffer.cuh"
#include "gpu/host/launch_params.hpp"

namespace dca::gpu::cuda {

/// Whether the current device runs the kernels of a dtype: sm_80 and later for 16 bits, sm_90 for f64. No device is a
/// reason, not an error.
[[nodiscard]] Support device_supports(Dtype dtype);

/// Immutable once made, so that threads may share it. Everything below is enqueued on `stream` of the plan's device and
/// waits for nothing.
class DevicePlan {
public:
    /// On the current device; waits for the copies. Throws as make_plan() does, Unsupported where the device cannot,
    /// CudaError.
    explicit DevicePlan(Problem problem);

    [[nodiscard]] const Problem& problem() const { return problem_; }
    [[nodiscard]] const host::Plan& plan() const { return plan_; }
    [[nodiscard]] int device() const { return device_; }
    /// k rotated, then v copied where plan().copy_v; each part a multiple of 256 bytes.
    [[nodiscard]] std::uint64_t workspace_bytes() const;

    /// Lets a call's table and workspace addresses point into this plan and into `workspace`. Element, Real: those of
    /// problem().dtype, here and below.
    template <class Element, class Real>
    void attach(host::Call<Element, Real>& call, void* workspace) const;
    /// k rotated and v copied.
    template <class Element, class Real>
    void rotate(const host::Call<Element, Real>& call, cudaStream_t stream) const;
    /// out and lse, from what rotate() left.
    template <class Element, class Real>
    void forward(const host::Call<Element, Real>& call, std::uint32_t modes, cudaStream_t stream) const;

private:
    [[nodiscard]] std::uint64_t padded_bytes() const;

    Problem problem_;
    host::Plan plan_;
    int device_ = 0;
    DeviceBuffer<QueryTile> query_tiles_;
    DeviceBuffer<KeyTile> key_tiles_;
    DeviceBuffer<float> angles_;  // one of the two, by dtype
    DeviceBuffer<double> angles64_;
};

/// Enqueues a kernel; params: its one parameter. A launch without blocks is none.
void launch(const void* kernel, const host::Launch& launch, const void* params, cudaStream_t stream);

}  // namespace dca::gpu::cuda
