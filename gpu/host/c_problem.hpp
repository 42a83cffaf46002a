// What a caller of the C interface says, checked and turned into this project's nouns. Needs no CUDA.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "gpu/api/dca_gpu.h"
#include "gpu/api/kernel_params.hpp"
#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"

namespace dca::gpu::host {

/// Sizes of the structs in the first version of the interface: what every caller has at least.
inline constexpr std::uint64_t first_problem_size = 208, first_forward_args_size = 192, first_merge_args_size = 120;

/// A caller's struct as this library knows it; fields that an older caller does not have are zero. Throws
/// InvalidProblem for null or a struct_size below `first`, Unsupported where a newer caller says something in fields
/// that this library does not know.
template <class T>
[[nodiscard]] T read_struct(const char* name, const T* given, std::uint64_t first) {
    if (given == nullptr) throw InvalidProblem(std::string(name) + " is null");
    const std::uint64_t size = given->struct_size;
    if (size < first) {
        throw InvalidProblem(std::string(name) + ": struct_size is " + std::to_string(size) + ", must be at least " +
                             std::to_string(first));
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::uint64_t i = sizeof(T); i < size; ++i) {
        if (bytes[i] != 0) {
            throw Unsupported(std::string(name) + " has fields that this version of libdca_gpu does not know");
        }
    }
    T known{};
    std::memcpy(&known, given, static_cast<std::size_t>(std::min<std::uint64_t>(size, sizeof(T))));
    return known;
}

/// Throws InvalidProblem naming a field that has no meaning; validate() is left to make_plan().
[[nodiscard]] Problem problem_of(const dca_gpu_problem* given);

/// All three for 0. Throws InvalidProblem for unknown bits.
[[nodiscard]] std::uint32_t modes_of(std::uint32_t modes);

}  // namespace dca::gpu::host
