// The fast double-precision reference, backward: gradients of one global softmax with three query rotations (Def.9).
#pragma once

#include <optional>

#include "reference/forward.hpp"
#include "reference/merge_rule.hpp"

namespace dca::reference {

using dca::GradientRule;

/// Gradients of <dout, out>. `outputs` is what forward returned for the same problem and inputs. rule: exact is the
/// true gradient (Def.9); detached_merge takes the weights that merge the modes as constants, as public code trains
/// with (H34, Def.10): dv is right, dq and dk are not. Without one, the rule of the problem's dialect and phase.
/// Numbers the dialect rounds count as unrounded, but for merge weights, whose rounded values are used. parts:
/// those of the same forward pass; without them a rule that needs them costs one more forward pass. Precondition:
/// inputs.dout is present.
[[nodiscard]] Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                 std::optional<GradientRule> rule = std::nullopt, const Parts* parts = nullptr);

/// The gradient of the dialect's own rule where the parts are merged with these weights instead of its own.
[[nodiscard]] Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                 const Parts& parts, const MergeWeights& weights);

/// Whether backward with the dialect's own rule reads parts.
[[nodiscard]] bool backward_needs_parts(const Problem& problem);

}  // namespace dca::reference
