// The kill matrix as what the page of reports draws.
#pragma once

#include <string>
#include <vector>

#include "verify/matrix/matrix.hpp"
#include "verify/report/kill_matrix.hpp"

namespace dca::cli {

/// One section for each dtype (of several suites' own dtypes: one for all). namings may be empty.
[[nodiscard]] verify::KillPage kill_page(const std::string& title, const matrix::Matrix& matrix,
                                         const std::vector<matrix::Naming>& namings);

}  // namespace dca::cli
