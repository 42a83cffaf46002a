// What the merge roundings of a dialect add to the error model: an honest candidate whose LSE differs a little rounds a
// weight that is near a tie to the other side, and is then a whole step away (docs/error_model.md, Dialects).
#pragma once

#include "reference/backward.hpp"
#include "reference/forward.hpp"

namespace dca::reference {

/// Widens scales by what the results would be with the near ties of each mode gone the other way. gradients may be
/// null. Does nothing for dialects that round no weight to 16 bits. Precondition: outputs, parts and gradients are of
/// this problem, scales as error_scales returned them.
void add_tie_noise(const Problem& problem, const Inputs& inputs, const Outputs& outputs, const Parts& parts,
                   const Gradients* gradients, ErrorScales& scales);

/// Whether there is anything to add.
[[nodiscard]] bool has_tie_noise(const Problem& problem);

}  // namespace dca::reference
