// Errors of the CUDA runtime as exceptions, and which device is current.
#pragma once

#include <cuda_runtime_api.h>

#include "reference/spec/error.hpp"

namespace dca::gpu::cuda {

/// The CUDA runtime refused; what() says which step and why.
struct CudaError : Error {
    using Error::Error;
};

/// Throws CudaError("STEP: text of the CUDA error") unless the status is success.
void check(cudaError_t status, const char* step);

/// Makes a device current for as long as it lives; none is touched where it is already.
class CurrentDevice {
public:
    explicit CurrentDevice(int device);
    ~CurrentDevice();
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

private:
    int before_ = 0;
    bool changed_ = false;
};

}  // namespace dca::gpu::cuda
