// The fast double-precision reference, forward: blocked like FlashAttention, O(n) memory, one running softmax over the
// three modes (Def.6). Results are bitwise the same for any thread count.
#pragma once

#include <array>
#include <span>

#include "reference/spec/bundles.hpp"
#include "reference/spec/mode.hpp"

namespace dca::reference {

/// out and lse of Dual Chunk Attention (Def.6) as the problem's dialect computes it (docs/dialects.md); lse is that of
/// all visible keys before any rounding. Throws InvalidProblem (validate) or Unsupported (refusals.hpp).
[[nodiscard]] Outputs forward(const Problem& problem, const Inputs& inputs);

/// The results of every mode apart, in the order of all_modes (Def.7).
using Parts = std::array<Outputs, 3>;

/// The same in one pass, with the parts that were merged: what backward needs for a detached or rounded merge.
[[nodiscard]] Outputs forward(const Problem& problem, const Inputs& inputs, Parts& parts);

/// The softmax over the keys of one mode alone (Def.7): what a kernel that runs the modes apart computes. Rows without
/// keys in this mode have out 0 and lse -inf.
[[nodiscard]] Outputs partial(const Problem& problem, const Inputs& inputs, Mode mode);

/// Merges partial results by their LSE (Def.8). Associative and commutative up to rounding; a merge of empty rows is
/// empty. Precondition: at least one part, equal shapes.
[[nodiscard]] Outputs merge(std::span<const Outputs> parts);

}  // namespace dca::reference
