// docs/claims.md: the claims of a file and what measuring them said.
#pragma once

#include <iosfwd>
#include <string>

#include "verify/measure/claims_file.hpp"
#include "verify/measure/result.hpp"
#include "verify/measure/run_measure.hpp"

namespace dca::measure {

/// The page. `report`: what run_claims made of the file with its own candidates. Throws ContractError where the report
/// lacks a claim of the file.
void write_claims_page(std::ostream& out, const ClaimsFile& file, const MeasureReport& report);

/// The beginning of a claim's row, which does not depend on what was measured: id, claim, candidate, who says so.
[[nodiscard]] std::string row_beginning(const FiledClaim& filed, const std::string& candidate);

}  // namespace dca::measure
