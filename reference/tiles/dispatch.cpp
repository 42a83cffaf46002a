#include <array>

#include "reference/tiles/tiles.hpp"

namespace dca::tiles {

extern const Kernels avx512_kernels, avx2_kernels, portable_kernels;

namespace {

struct Sets {
    std::array<const Kernels*, 3> list{};
    std::size_t count = 0;
    Sets() {
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) list[count++] = &avx512_kernels;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[count++] = &avx2_kernels;
        list[count++] = &portable_kernels;
    }
};

const Sets& sets() {
    static const Sets found;
    return found;
}

}  // namespace

const Kernels& best() {
    return *sets().list.front();
}
std::span<const Kernels* const> available() {
    return {sets().list.data(), sets().count};
}

}  // namespace dca::tiles
