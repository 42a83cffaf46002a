// The kill matrix for readers.
#pragma once

#include <iosfwd>
#include <string>

#include "verify/matrix/matrix.hpp"

namespace dca::matrix {

/// A margin in two digits: "3.1", "47", "1.2e5", "inf"; "-" where the mutant does not apply.
[[nodiscard]] std::string margin_text(const Cell& cell);
[[nodiscard]] std::string margin_text(double margin);

/// One or two sentences: how many are killed and named, what is known of the others, and the honest kernels.
[[nodiscard]] std::string summary(const Matrix& matrix, const std::vector<Naming>& namings);

/// The summary, then one line per mutant and dtype: killed or missed, in how many cases, the best case and its margin, whether it is
/// named; then what honest kernels did. verbose: each mutant's margin in every case.
void write_text(std::ostream& out, const Matrix& matrix, const std::vector<Naming>& namings, bool verbose);

/// The whole matrix.
void write_json(std::ostream& out, const Matrix& matrix, const std::vector<Naming>& namings);

/// 0: every mutant that was run was killed or is one of limits(), and named where that was asked, and no honest kernel
/// failed; else 1; 3 where no mutant was run.
[[nodiscard]] int exit_status(const Matrix& matrix, const std::vector<Naming>& namings);

/// Mutants that were run and killed nowhere, and are not known to be missed.
[[nodiscard]] std::vector<const Tally*> missed(const std::vector<Tally>& tallies);

}  // namespace dca::matrix
