// What the human-readable reports say of a run as a whole.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::verify {

/// How many cases look like which mistake (by name_of its first explanation).
struct Mistakes {
    std::size_t failing = 0;
    std::map<std::string, std::size_t> counts;
    /// "3 of 4 failing cases look like detached-merge (H34)", one line per mistake; nothing for fewer than two
    /// failures.
    [[nodiscard]] std::vector<std::string> lines() const;
};
[[nodiscard]] Mistakes mistakes(const RunReport& report);

/// Remarks of the tensors of passing cases, each once.
[[nodiscard]] std::set<std::string> remarks_of_passes(const RunReport& report);

/// Tensors nobody compared because the candidate does not have them, a line each: a pass does not speak of them.
[[nodiscard]] std::vector<std::string> not_judged(const RunReport& report);

}  // namespace dca::verify
