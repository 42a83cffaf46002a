// One hazard as text for a terminal, its figures measured while it is written.
#pragma once

#include <iosfwd>

#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

/// Title, who is affected, consequence, minimal case, commands, and the figures next to what is stated. Returns whether
/// every figure is what is stated (true where there are none).
bool explain(std::ostream& out, const Hazard& hazard);

}  // namespace dca::hazards
