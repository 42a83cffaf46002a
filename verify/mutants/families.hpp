// The parts of the catalogue, and what they share.
#pragma once

#include "verify/mutants/mutant.hpp"

namespace dca::mutants {

[[nodiscard]] std::span<const Mutant> position_mutants();
[[nodiscard]] std::span<const Mutant> region_mutants();
[[nodiscard]] std::span<const Mutant> merge_mutants();
[[nodiscard]] std::span<const Mutant> scale_mutants();
[[nodiscard]] std::span<const Mutant> rotation_mutants();
[[nodiscard]] std::span<const Mutant> layout_mutants();
[[nodiscard]] std::span<const Mutant> precision_mutants();
[[nodiscard]] std::span<const Mutant> storage_mutants();
[[nodiscard]] std::span<const Mutant> backward_mutants();
[[nodiscard]] std::span<const Mutant> packed_mutants();
[[nodiscard]] std::span<const Mutant> context_parallel_mutants();

[[nodiscard]] inline bool rotates(const Problem& p) {
    return p.resolved_rotary_dim() > 0;
}
[[nodiscard]] inline bool is_packed(const Problem& p) {
    return p.packed();
}

/// Tile of the mistakes that lose one or repeat one: small, so that small cases have several.
inline constexpr std::int64_t small_tile = 16;

}  // namespace dca::mutants
