// The fast double-precision reference, backward: gradients of one global softmax with three query rotations (Def.9).
#pragma once

#include "reference/spec/bundles.hpp"

namespace dca::reference {

/// exact: the true gradient (Def.9). detached_merge: the weights that merge the three modes are constants, as public
/// code trains with (H34, Def.10): dv is right, dq and dk are not.
enum class GradientRule : std::uint8_t { exact, detached_merge };

/// Gradients of <dout, out>. `outputs` is what forward returned for the same problem and inputs.
/// Precondition: inputs.dout is present.
[[nodiscard]] Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                                 GradientRule rule = GradientRule::exact);

}  // namespace dca::reference
