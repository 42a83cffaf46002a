// Which kernels run: the fastest set this processor has, unless a test asks for another.
#pragma once

#include <span>

#include "reference/certified/kernels/kernels.hpp"

namespace dca::certified {

/// Every set this processor has, fastest first; the last one, portable, always works.
[[nodiscard]] std::span<const Kernels* const> available();
/// The set in use.
[[nodiscard]] const Kernels& kernels();
/// Uses another set from now on; for tests, not while anything is computed.
void use(const Kernels& set);

}  // namespace dca::certified
