// AVX2: two registers hold eight doubles.
#include "verify/compare/strip_kernel.hpp"

namespace dca::verify {
namespace {

constexpr std::size_t width = 4;

#include "verify/compare/strip_text.inc"

}  // namespace

extern const StripKernel strip_kernel_avx2;
const StripKernel strip_kernel_avx2 = measure;

}  // namespace dca::verify
