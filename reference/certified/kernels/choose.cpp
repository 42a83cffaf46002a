#include "reference/certified/kernels/choose.hpp"

#include <array>
#include <atomic>

namespace dca::certified {

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

std::atomic<const Kernels*>& chosen() {
    static std::atomic<const Kernels*> set{sets().list.front()};
    return set;
}

}  // namespace

std::span<const Kernels* const> available() {
    return {sets().list.data(), sets().count};
}
const Kernels& kernels() {
    return *chosen().load(std::memory_order_acquire);
}
void use(const Kernels& set) {
    chosen().store(&set, std::memory_order_release);
}

}  // namespace dca::certified
