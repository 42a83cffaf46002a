// A claim as text, and what it says. The grammar is in docs/measure.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/measure/growth.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

enum class Relation : std::uint8_t { at_most, at_least, equal };

/// At which sizes a number holds: the largest measured one, all, exactly n, or n and above.
enum class Where : std::uint8_t { largest, every, exactly, from };

struct Claim {
    std::string text;  ///< as it was written
    Quantity quantity = Quantity::time;
    std::string ratio_to;  ///< ratio(quantity, NAME): the candidate it is divided by; empty: no ratio
    Relation relation = Relation::at_most;
    std::vector<Growth> growth;  ///< O(sum of these); empty: a number is claimed
    double limit = 0;            ///< the number, in bytes, seconds, or plain
    bool per_token = false;      ///< the number is of the value divided by n
    std::string unit;            ///< as it was written, "KiB/token"
    double unit_value = 1;       ///< how many bytes, seconds or ones the unit has
    Where where = Where::largest;
    std::int64_t n = 0;  ///< of exactly and from
};

/// Throws InvalidProblem with one line: the claim, the column, what was expected, and the nearest word where one is
/// misspelt.
[[nodiscard]] Claim parse_claim(std::string_view text);

}  // namespace dca::measure
