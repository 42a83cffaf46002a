// From sums to sentences.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verify/diagnose/error_field.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// What tells most about where the error lies, the most telling first; empty where it is everywhere alike. `shares`
/// holds the localisation so far: its shares and period.
[[nodiscard]] std::vector<std::string> findings_of(const ErrorField& field, const Localisation& shares);

}  // namespace dca::verify
