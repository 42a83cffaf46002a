// Results of small cases that share their inputs, and how far they are apart.
#pragma once

#include <cstdint>

#include "golden/case_spec.hpp"
#include "reference/spec/bundles.hpp"
#include "verify/hazards/demonstration.hpp"

namespace dca::hazards {

/// A case, and the first rows of the inputs of a longer one.
struct Computable {
    Problem problem;
    Inputs inputs;
};

/// The longest index any of the two cases uses, one past it.
[[nodiscard]] std::int64_t common_length(const golden::CaseSpec& a, const golden::CaseSpec& b);

/// The problem of `spec` on the inputs that `recipe` has at this length: keys 0 .. seq_k - 1 and the queries of its
/// rows. Both have batch 1, are not packed, and agree in heads and channels. Throws InvalidProblem where not.
[[nodiscard]] Computable computable(const golden::CaseSpec& spec, const golden::CaseSpec& recipe, std::int64_t length);

[[nodiscard]] double output_difference(const golden::CaseSpec& a, const golden::CaseSpec& b, std::int64_t from,
                                       std::int64_t to);
[[nodiscard]] double gradient_difference(const golden::CaseSpec& a, const golden::CaseSpec& b, Gradient tensor);
[[nodiscard]] double gradient_size(const golden::CaseSpec& spec, Gradient tensor);
[[nodiscard]] double output_over_value(const golden::CaseSpec& spec, std::int64_t i);

}  // namespace dca::hazards
