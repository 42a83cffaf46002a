#include "gpu/cuda/cuda_check.cuh"

#include <string>

namespace dca::gpu::cuda {

void check(cudaError_t status, const char* step) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // so that the next call does not report this one again
    throw CudaError(std::string(step) + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")");
}

CurrentDevice::CurrentDevice(int device) {
    check(cudaGetDevice(&before_), "asking for the current CUDA device");
    if (before_ == device) return;
    check(cudaSetDevice(device), "making a CUDA device current");
    changed_ = true;
}

CurrentDevice::~CurrentDevice() {
    if (changed_) cudaSetDevice(before_);
}

}  // namespace dca::gpu::cuda
