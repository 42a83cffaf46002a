// docs/bug_catalogue.md, docs/limits.md and the tables golden/kills_*.inc, written from the matrix. A test compares
// them with the files.
#pragma once

#include <iosfwd>
#include <string_view>

#include "verify/matrix/matrix.hpp"

namespace dca::matrix {

/// The dtypes of the documents.
[[nodiscard]] std::vector<Dtype> document_dtypes();

/// docs/bug_catalogue.md. `matrix`: suite ci in document_dtypes().
void write_bug_catalogue(std::ostream& out, const Matrix& matrix);

/// docs/limits.md; `matrix` as above.
void write_limits(std::ostream& out, const Matrix& matrix);

/// golden/kills_SUITE.inc. `matrix`: the suite, each case in its own dtype.
void write_kills(std::ostream& out, const Matrix& matrix);

}  // namespace dca::matrix
