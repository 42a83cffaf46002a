// Reads one case group. The reader stops at the first fault and lint collects them all, so faults go to a callback.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "golden/h5_file.hpp"
#include "golden/lint.hpp"
#include "golden/store.hpp"

namespace dca::golden {

/// Receives every finding. The reader's throws FormatError at the first error; lint's keeps them.
using Report = std::function<void(const Finding&)>;

/// What a case has to hold: everything schema and problem demand, or only the outputs of a candidate.
enum class Demand : std::uint8_t { complete, complete_or_outputs_only };

/// What is done with the values of tensors: kept, only checked (in constant memory), or left alone. `head` leaves
/// results and their scales alone and checks the inputs.
enum class Values : std::uint8_t { keep, check, head };

/// Reads and checks the case group `id` of an open file. If `report` returns from an error, goes on with what can still
/// be checked; the result is then meaningless.
[[nodiscard]] CaseData read_case(const h5::File& file, const std::string& id, Demand demand, const Report& report,
                                 Values values = Values::keep);

}  // namespace dca::golden
