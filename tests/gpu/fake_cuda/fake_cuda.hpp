// What a test can ask of the CUDA runtime that runs kernels on the emulated machine, and set in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fake_cuda {

/// What a kernel handle points to.
struct Kernel {
    const char* name;
    std::size_t parameter_bytes;
    std::function<void(const void* parameter)> body;  ///< of one thread, on the emulated machine
};

struct Machine {
    int driver = 13000;  ///< 0: none is installed
    int devices = 2;
    int major = 9, minor = 0, shared_bytes = 227 * 1024;
    bool runs_kernels = true;                     ///< false: launches do nothing
    std::int64_t memory = std::int64_t{1} << 32;  ///< of all devices together, in bytes
};

/// What was asked of the runtime since reset().
struct Seen {
    int allocations = 0, waits = 0;     ///< waits: copies, synchronisations
    std::int64_t bytes_allocated = 0;   ///< and not freed
    std::vector<std::string> launches;  ///< "kernel on device D, stream S", in order
};

/// A machine with nothing allocated, nothing launched, device 0 current.
void reset(const Machine& machine = {});
[[nodiscard]] const Seen& seen();

}  // namespace fake_cuda
