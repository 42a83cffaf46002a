// What the merge roundings of a dialect add to the error model: an honest candidate whose LSE differs a little rounds a
// weight that is near a tie to the other side, and is then a whole step away (docs/error_model.md, Dialects).
#pragma once

#include <span>

#include "reference/backward.hpp"
#include "reference/forward.hpp"

namespace dca::reference {

/// Widens scales by what the results would be with the near ties of each mode gone the other way. gradients may be
/// null. Does nothing for dialects that round no weight to 16 bits. Precondition: outputs, parts and gradients are of
/// this problem, scales as error_scales returned them.
void add_tie_noise(const Problem& problem, const Inputs& inputs, const Outputs& outputs, const Parts& parts,
                   const Gradients* gradients, ErrorScales& scales);

/// An lse counts as off by up to 6 sigma, and a part's by twice that of its row, which has more keys to average over.
inline constexpr double tie_width_in_sigma = 12;
/// sigma^2 += the square of the change of one row, and its mean over the row, since several flips may cancel in one
/// channel.
void widen_by_change(std::span<const double> before, std::span<const double> after, std::span<float> sigma);

/// Whether there is anything to add.
[[nodiscard]] bool has_tie_noise(const Problem& problem);

}  // namespace dca::reference
