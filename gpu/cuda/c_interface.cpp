// gpu/api/dca_gpu.h: arguments checked, pointers passed on, every exception turned into a status and a line of text.
#include <array>
#include <memory>
#include <new>
#include <string>

#include "gpu/cuda/device_plan.cuh"
#include "gpu/cuda/kernels.hpp"
#include "gpu/host/c_arguments.hpp"

struct dca_gpu_plan {
    dca::gpu::cuda::DevicePlan plan;
};

namespace dca::gpu::cuda {
namespace {

thread_local std::string last_error;

int failed(int status, const char* text) noexcept {
    try {
        last_error = text;
    } catch (...) {  // no memory even for the text
        last_error.clear();
    }
    return status;
}

/// Runs the body of an interface function.
template <class Body>
int status_of(Body body) noexcept {
    try {
        last_error.clear();
        body();
        return DCA_GPU_OK;
    } catch (const Unsupported& error) {
        return failed(DCA_GPU_UNSUPPORTED, error.what());
    } catch (const InvalidProblem& error) {
        return failed(DCA_GPU_INVALID, error.what());
    } catch (const std::bad_alloc&) {
        return failed(DCA_GPU_FAILED, "out of host memory");
    } catch (const std::exception& error) {
        return failed(DCA_GPU_FAILED, error.what());
    } catch (...) {
        return failed(DCA_GPU_FAILED, "an unknown exception");
    }
}

enum class Steps { rotate, forward };

template <class Element, class Real>
void enqueue(const DevicePlan& plan, const dca_gpu_forward_args& args, Steps steps) {
    const CurrentDevice current(plan.device());
    auto call = host::call_of<Element, Real>(plan.problem().shape, args);
    plan.attach(call, args.workspace);
    auto* const stream = static_cast<cudaStream_t>(args.stream);
    if (steps == Steps::rotate || !(args.flags & DCA_GPU_ROTATED)) plan.rotate(call, stream);
    if (steps == Steps::forward) plan.forward(call, host::modes_of(args.modes), stream);
}

int run(const dca_gpu_plan* handle, const dca_gpu_forward_args* given, Steps steps) {
    return status_of([&] {
        if (handle == nullptr) throw InvalidProblem("plan is null");
        const DevicePlan& plan = handle->plan;
        const dca_gpu_forward_args args =
            host::read_struct("dca_gpu_forward_args", given, host::first_forward_args_size);
        host::check_arguments(plan.problem(), plan.plan(), plan.workspace_bytes(), args, steps == Steps::forward);
        if (plan.problem().dtype == Dtype::f64) {
            enqueue<double, double>(plan, args, steps);
        } else {
            enqueue<std::uint16_t, float>(plan, args, steps);
        }
    });
}

template <class Element, class Real>
void enqueue_merge(const dca_gpu_merge_args& args) {
    const auto params = host::merge_params<Element, Real>(args);
    launch(merge_kernel(host::merge_dtype(args.dtype)),
           host::merge_launch(args.batch, args.seq_q, args.heads_q, params.head_dim_v, sizeof(Element)), &params,
           static_cast<cudaStream_t>(args.stream));
}

}  // namespace
}  // namespace dca::gpu::cuda

using namespace dca::gpu;

extern "C" {

int dca_gpu_version(void) {
    return DCA_GPU_VERSION;
}

const char* dca_gpu_error(void) {
    return cuda::last_error.c_str();
}

int dca_gpu_available(void) {
    return cuda::status_of([] {
        if (const Support support = cuda::device_supports(dca::Dtype::bf16); !support.ok()) {
            throw dca::Unsupported(support.reason);
        }
    });
}

int dca_gpu_plan_create(const dca_gpu_problem* problem, dca_gpu_plan** plan) {
    return cuda::status_of([&] {
        if (plan == nullptr) throw dca::InvalidProblem("plan is null: nowhere to store one");
        *plan = nullptr;
        *plan = std::make_unique<dca_gpu_plan>(cuda::DevicePlan(host::problem_of(problem))).release();
    });
}

int dca_gpu_plan_destroy(dca_gpu_plan* plan) {
    return cuda::status_of([&] {
        if (plan == nullptr) return;
        const std::unique_ptr<dca_gpu_plan> owned(plan);
        const cuda::CurrentDevice current(plan->plan.device());
        cuda::check(cudaDeviceSynchronize(), "waiting for the last calls of a plan");
    });
}

int dca_gpu_workspace_bytes(const dca_gpu_plan* plan, uint64_t* bytes) {
    return cuda::status_of([&] {
        if (plan == nullptr || bytes == nullptr) throw dca::InvalidProblem("plan or bytes is null");
        *bytes = plan->plan.workspace_bytes();
    });
}

int dca_gpu_rotate(const dca_gpu_plan* plan, const dca_gpu_forward_args* args) {
    return cuda::run(plan, args, cuda::Steps::rotate);
}

int dca_gpu_forward(const dca_gpu_plan* plan, const dca_gpu_forward_args* args) {
    return cuda::run(plan, args, cuda::Steps::forward);
}

int dca_gpu_merge(const dca_gpu_merge_args* given) {
    return cuda::status_of([&] {
        const dca_gpu_merge_args args = host::read_struct("dca_gpu_merge_args", given, host::first_merge_args_size);
        host::check_merge(args);
        const dca::Dtype dtype = host::merge_dtype(args.dtype);
        if (dtype == dca::Dtype::f64) return cuda::enqueue_merge<double, double>(args);
        if (dtype == dca::Dtype::f32) return cuda::enqueue_merge<float, float>(args);
        return cuda::enqueue_merge<std::uint16_t, float>(args);
    });
}

}  // extern "C"
