// Memory of the current device that frees itself.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "gpu/cuda/cuda_check.cuh"

namespace dca::gpu::cuda {

/// `size` elements, uninitialized; none for 0. Copies to and from the host wait for the device.
template <class T>
class DeviceBuffer {
public:
    DeviceBuffer() = default;
    explicit DeviceBuffer(std::int64_t size) : size_(size) {
        if (size > 0) check(cudaMalloc(&data_, bytes()), "allocating device memory");
    }
    explicit DeviceBuffer(std::span<const T> host) : DeviceBuffer(static_cast<std::int64_t>(host.size())) {
        copy_from(host);
    }
    ~DeviceBuffer() { cudaFree(data_); }
    DeviceBuffer(DeviceBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }

    [[nodiscard]] T* data() const { return static_cast<T*>(data_); }
    [[nodiscard]] std::int64_t size() const { return size_; }
    void copy_from(std::span<const T> host) {
        expects(static_cast<std::int64_t>(host.size()) == size_, "sizes of a copy differ");
        if (size_ > 0) check(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice), "copying to the device");
    }
    void copy_to(std::span<T> host) const {
        expects(static_cast<std::int64_t>(host.size()) == size_, "sizes of a copy differ");
        if (size_ > 0) {
            check(cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost), "copying from the device");
        }
    }

private:
    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }

    void* data_ = nullptr;
    std::int64_t size_ = 0;
};

}  // namespace dca::gpu::cuda
