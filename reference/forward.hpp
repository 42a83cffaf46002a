// The fast double-precision reference, forward: blocked like FlashAttention, O(n) memory, one running softmax over the
// three modes (Def.6). Results are bitwise the same for any thread count.
#pragma once

#include <span>

#include "reference/spec/bundles.hpp"
#include "reference/spec/mode.hpp"

namespace dca::reference {

/// out and lse of exact Dual Chunk Attention (Def.6). Throws InvalidProblem (validate) or Unsupported (dialect).
[[nodiscard]] Outputs forward(const Problem& problem, const Inputs& inputs);

/// The softmax over the keys of one mode alone (Def.7): what a kernel that runs the modes apart computes. Rows without
/// keys in this mode have out 0 and lse -inf.
[[nodiscard]] Outputs partial(const Problem& problem, const Inputs& inputs, Mode mode);

/// Merges partial results by their LSE (Def.8). Associative and commutative up to rounding; a merge of empty rows is
/// empty. Precondition: at least one part, equal shapes.
[[nodiscard]] Outputs merge(std::span<const Outputs> parts);

}  // namespace dca::reference
