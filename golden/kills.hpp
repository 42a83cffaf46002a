// Which wrong kernels a case of a suite is known to catch, and by how much (docs/bug_catalogue.md): data that the kill
// matrix wrote, and the attribute `kills` of golden files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::golden {

struct Kill {
    std::string mutant;
    double margin;  ///< how many times over its line the worst rule is, above 1; infinite for a NaN and the like
    friend bool operator==(const Kill&, const Kill&) = default;
};

/// "detached-merge=33 zeros=1.2e5 one-nan=inf". Throws FormatError where it is not of that form, a margin is not above
/// 1, or nothing is in it.
[[nodiscard]] std::vector<Kill> parse_kills(std::string_view text);

/// The attribute of a case that is word for word a case of a suite; nothing for all others, and for cases that must be
/// rejected.
[[nodiscard]] std::optional<std::string> known_kills(const CaseSpec& spec);

/// The table of a suite as the kill matrix wrote it: a line of mutant ids, then a line for each case: its id and the
/// margins, "-" where the mutant is not killed. Empty: there is none for that suite.
[[nodiscard]] std::string_view kill_table(std::string_view suite);

}  // namespace dca::golden
