#include "verify/compare/strip.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "verify/run/result.hpp"

namespace dca::verify {

extern const StripKernel strip_kernel_portable;
#if defined(__x86_64__)
extern const StripKernel strip_kernel_avx512, strip_kernel_avx2;
#endif

namespace {

struct Kernels {
    std::array<StripKernel, 3> list{};
    std::size_t count = 0;
    Kernels() {
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
            list[count++] = strip_kernel_avx512;
        }
        if (__builtin_cpu_supports("avx2")) list[count++] = strip_kernel_avx2;
#endif
        list[count++] = strip_kernel_portable;
    }
};

}  // namespace

std::span<const StripKernel> strip_kernels() {
    static const Kernels kernels;
    return {kernels.list.data(), kernels.count};
}

StripKernel strip_kernel() {
    return strip_kernels().front();
}

std::size_t octave_of(double ratio) {
    constexpr int first = RatioHistogram::first_exponent;
    constexpr int last = first + static_cast<int>(std::tuple_size_v<decltype(RatioHistogram::counts)>) - 1;
    static_assert(first == -8 && last == 15, "the kernel counts these octaves");
    if (ratio < 0x1p-8) return 0;
    return static_cast<std::size_t>(std::isinf(ratio) ? last - first : std::min(std::ilogb(ratio), last) - first);
}

}  // namespace dca::verify
