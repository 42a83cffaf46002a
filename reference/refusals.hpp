// What the published codes cannot do, each refusal naming the hazard of docs/hazards.md and the range it covers.
#pragma once

#include "reference/spec/problem.hpp"

namespace dca::reference {

/// Throws Unsupported where the dialect's own code would fail on this problem, or where no source says what it does:
/// an index out of range (H14, H43), a TypeError (H24), a wrong head count (H39), a layout, scaling, cache or packing
/// it does not have; sparse prefill in a dialect that has none, or with gradients. Throws Unsupported where no dialect
/// has the name. Precondition: validate(problem) passed. gradients: the backward pass is wanted too.
void require_reproducible(const Problem& problem, bool gradients = false);

/// Throws Unsupported where the problem is a sparse prefill: for code that computes dense attention alone.
void require_dense(const Problem& problem);

}  // namespace dca::reference
