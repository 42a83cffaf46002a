// The fast path of the reference: products of small double matrices and exp (kernels.hpp), written once, compiled for
// several instruction sets and chosen at run time.
#pragma once

#include <span>

#include "reference/tiles/kernels.hpp"

namespace dca::tiles {

/// The fastest set this processor has.
[[nodiscard]] const Kernels& best();
/// Every set this processor has, fastest first; the last one, portable, always works.
[[nodiscard]] std::span<const Kernels* const> available();

}  // namespace dca::tiles
