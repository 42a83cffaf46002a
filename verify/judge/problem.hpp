// The nouns of the public header and those of reference/spec, one as the other.
#pragma once

#include "reference/spec/problem.hpp"
#include "verify/judge/judge.hpp"

namespace dca::judge {

[[nodiscard]] Dtype to_public(dca::Dtype dtype);
[[nodiscard]] dca::Dtype to_internal(Dtype dtype);
/// Precondition: the problem is valid.
[[nodiscard]] Problem to_public(const dca::Problem& problem);

}  // namespace dca::judge
