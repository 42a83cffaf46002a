// No particular instruction set: the two doubles that every x86-64 and AArch64 has in a register.
#include "verify/compare/strip_kernel.hpp"

namespace dca::verify {
namespace {

constexpr std::size_t width = 2;

#include "verify/compare/strip_text.inc"

}  // namespace

extern const StripKernel strip_kernel_portable;
const StripKernel strip_kernel_portable = measure;

}  // namespace dca::verify
