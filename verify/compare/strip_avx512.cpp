// AVX-512: one register holds eight doubles.
#include "verify/compare/strip_kernel.hpp"

namespace dca::verify {
namespace {

constexpr std::size_t width = 8;

#include "verify/compare/strip_text.inc"

}  // namespace

extern const StripKernel strip_kernel_avx512;
const StripKernel strip_kernel_avx512 = measure;

}  // namespace dca::verify
