// Mistakes that the suites cannot show, and why: the only mutants that may be missed.
#pragma once

#include <iosfwd>
#include <span>
#include <string_view>
#include <vector>

#include "verify/matrix/matrix.hpp"

namespace dca::matrix {

struct Limit {
    std::string_view mutant;
    std::vector<Dtype> dtypes;
    std::string_view reason;  ///< sentences
};
[[nodiscard]] std::span<const Limit> limits();

/// Whether the mutant is known to be missed in this dtype.
[[nodiscard]] bool is_limit(const mutants::Mutant& mutant, Dtype dtype);

/// Mistakes that are caught but not called by their name.
[[nodiscard]] std::span<const Limit> naming_limits();
[[nodiscard]] bool is_naming_limit(const mutants::Mutant& mutant, Dtype dtype);

}  // namespace dca::matrix
