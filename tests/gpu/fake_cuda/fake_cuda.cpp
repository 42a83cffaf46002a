// Kernels are queued where they are launched and run where somebody waits, as a GPU may do; their parameters are copied
// at the launch. Copies are checked against what was allocated.
#include "tests/gpu/fake_cuda/fake_cuda.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "gpu/machine/emulated_block.hpp"

namespace {

using fake_cuda::Kernel;

constexpr std::size_t alignment = 256;  // what cudaMalloc promises
constexpr unsigned char poison = 0xcb;
constexpr int static_limit = 48 * 1024;  // shared memory that need not be asked for

struct Queued {
    const Kernel* kernel;
    dim3 grid;
    int threads;
    std::uint32_t shared_bytes;
    std::shared_ptr<const void> parameter;
};

struct State {
    fake_cuda::Machine machine;
    fake_cuda::Seen seen;
    int device = 0;
    std::map<unsigned char*, std::size_t> allocated;
    std::map<std::pair<const void*, int>, int> shared_allowed;  // of a kernel on a device
    std::set<std::pair<const void*, int>> loaded;
    std::vector<Queued> queue;
};
State state;

/// Whether [data, data + bytes) lies in one allocation.
bool on_device(const void* data, std::size_t bytes) {
    const auto* begin = static_cast<const unsigned char*>(data);
    auto after = state.allocated.upper_bound(const_cast<unsigned char*>(begin));
    if (after == state.allocated.begin()) return false;
    const auto& [start, size] = *std::prev(after);
    return begin + bytes <= start + size;
}

/// Behind every allocation lie as many bytes again, and some; kernels that think it larger write there.
std::size_t with_tail(std::size_t bytes) {
    return 2 * bytes + 4096;
}

void check_tails() {
    for (const auto& [data, bytes] : state.allocated) {
        const auto untouched = [](unsigned char byte) { return byte == poison; };
        if (!std::all_of(data + bytes, data + with_tail(bytes), untouched)) {
            throw std::runtime_error("a kernel wrote beyond an allocation of " + std::to_string(bytes) + " bytes");
        }
    }
}

cudaError_t wait() {
    ++state.seen.waits;
    const std::vector<Queued> queue = std::exchange(state.queue, {});
    for (const Queued& launch : queue) {
        if (!state.machine.runs_kernels) continue;
        const dca::gpu::Index3 grid{static_cast<int>(launch.grid.x), static_cast<int>(launch.grid.y),
                                    static_cast<int>(launch.grid.z)};
        dca::gpu::emulated::launch(launch.kernel->name, grid, launch.threads, launch.shared_bytes,
                                   [&] { launch.kernel->body(launch.parameter.get()); });
        check_tails();
    }
    return cudaSuccess;
}

void release(unsigned char* data) {
    ::operator delete(data, std::align_val_t(alignment));
}

}  // namespace

namespace fake_cuda {

void reset(const Machine& machine) {
    for (const auto& [data, bytes] : state.allocated) release(data);
    state = State{};
    state.machine = machine;
}

const Seen& seen() {
    return state.seen;
}

}  // namespace fake_cuda

cudaError_t cudaDriverGetVersion(int* version) {
    *version = state.machine.driver;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
    *count = state.machine.devices;
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaGetDevice(int* device) {
    *device = state.device;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= state.machine.devices) return cudaErrorInvalidDevice;
    state.device = device;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    if (device < 0 || device >= state.machine.devices) return cudaErrorInvalidDevice;
    switch (attribute) {
        case cudaDevAttrComputeCapabilityMajor: *value = state.machine.major; break;
        case cudaDevAttrComputeCapabilityMinor: *value = state.machine.minor; break;
        case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = state.machine.shared_bytes; break;
    }
    return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
    if (state.seen.bytes_allocated + static_cast<std::int64_t>(bytes) > state.machine.memory) {
        return cudaErrorMemoryAllocation;
    }
    auto* memory = static_cast<unsigned char*>(::operator new(with_tail(bytes), std::align_val_t(alignment)));
    std::memset(memory, poison, with_tail(bytes));
    state.allocated[memory] = bytes;
    ++state.seen.allocations;
    state.seen.bytes_allocated += static_cast<std::int64_t>(bytes);
    *data = memory;
    return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
    if (data == nullptr) return cudaSuccess;
    const auto found = state.allocated.find(static_cast<unsigned char*>(data));
    if (found == state.allocated.end()) return cudaErrorInvalidValue;
    wait();
    state.seen.bytes_allocated -= static_cast<std::int64_t>(found->second);
    release(found->first);
    state.allocated.erase(found);
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    const bool right = kind == cudaMemcpyHostToDevice ? on_device(to, bytes) && !on_device(from, 1)
                                                      : on_device(from, bytes) && !on_device(to, 1);
    if (!right) return cudaErrorInvalidValue;
    wait();
    std::memcpy(to, from, bytes);
    return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
    if (!on_device(to, bytes)) return cudaErrorInvalidValue;
    wait();
    std::memset(to, value, bytes);
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, const void* kernel) {
    state.loaded.insert({kernel, state.device});
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
    if (value > state.machine.shared_bytes) return cudaErrorInvalidValue;
    state.loaded.insert({kernel, state.device});
    state.shared_allowed[{kernel, state.device}] = value;
    return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void* handle, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                             cudaStream_t stream) {
    const auto* kernel = static_cast<const Kernel*>(handle);
    const auto allowed = state.shared_allowed.find({handle, state.device});
    const int most = allowed == state.shared_allowed.end() ? static_limit : std::max(allowed->second, static_limit);
    if (static_cast<int>(shared_bytes) > most || grid.y > 65535 || grid.z > 65535 || block.x > 1024) {
        return cudaErrorInvalidValue;
    }
    std::shared_ptr<void> parameter(::operator new(kernel->parameter_bytes), [](void* p) { ::operator delete(p); });
    std::memcpy(parameter.get(), arguments[0], kernel->parameter_bytes);
    state.queue.push_back(
        {kernel, grid, static_cast<int>(block.x), static_cast<std::uint32_t>(shared_bytes), std::move(parameter)});
    const bool ready = state.loaded.count({handle, state.device}) > 0;
    state.seen.launches.push_back(std::string(kernel->name) + " on device " + std::to_string(state.device) +
                                  ", stream " + std::to_string(reinterpret_cast<std::uintptr_t>(stream)) +
                                  (ready ? "" : ", not loaded before"));
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
    return wait();
}

cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "out of memory"
           : error == cudaErrorNoDevice       ? "no CUDA-capable device is detected"
                                              : "invalid argument";
}
const char* cudaGetErrorName(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
           : error == cudaErrorNoDevice       ? "cudaErrorNoDevice"
                                              : "cudaErrorInvalidValue";
}
