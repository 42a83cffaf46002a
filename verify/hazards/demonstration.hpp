// What can be measured to show a hazard, and what is stated about it: a closed set of measures, each a plain value.
// A measure names its cases by words that change the hazard's minimal case (case_words.hpp).
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <variant>
#include <vector>

namespace dca::hazards {

inline constexpr std::int64_t last_row = std::numeric_limits<std::int64_t>::max();

/// M(i, j), the relative position that RoPE sees.
struct RelativePosition {
    std::string_view words;
    std::int64_t i, j;
};
/// The first query index at which two cases have another relative position for some key, or "none".
struct FirstDifferentQuery {
    std::string_view a, b;
};
/// The smallest distance i - j of a visible pair whose relative position is another, or "none".
struct FirstWrongDistance {
    std::string_view words;
};
/// How many visible pairs have a relative position other than i - j.
struct WrongPairs {
    std::string_view words;
};
/// How many pairs are visible in some mode.
struct VisiblePairs {
    std::string_view words;
};
/// a_i b_j, the length temperature on the logit of a pair.
struct LogitFactor {
    std::string_view words;
    std::int64_t i, j;
};
/// ||out_a - out_b|| / ||out_b|| over the query indices [from, to) that both cases have. Both cases work on the first
/// rows of one set of inputs, that of case a at the longer of the two lengths.
struct OutputDifference {
    std::string_view a, b;
    std::int64_t from = 0, to = last_row;
};
enum class Gradient : std::uint8_t { dq, dk, dv };
/// ||g_a - g_b|| / ||g_b|| of one gradient, inputs as above.
struct GradientDifference {
    std::string_view a, b;
    Gradient tensor;
};
/// ||g||
struct GradientSize {
    std::string_view words;
    Gradient tensor;
};
/// out / v at one query index of a case in which v is the same for every key: 1, if weights sum to 1.
struct OutputOverValue {
    std::string_view words;
    std::int64_t i;
};
/// "accepted", "refused" (by the dialect, naming the hazard), "refused without naming HN", or "invalid" (no problem).
struct Refusal {
    std::string_view words;
};
/// The lengths n (seq_q = seq_k = n) in [from, to] that are refused by name, as ranges "5-6", or "none".
struct RefusedLengths {
    std::string_view words;
    std::int64_t from, to;
};
/// A small calculation of its own (arithmetic.hpp), for code without a dialect.
struct Arithmetic {
    double (*value)();
};

using Measure = std::variant<RelativePosition, FirstDifferentQuery, FirstWrongDistance, WrongPairs, VisiblePairs,
                             LogitFactor, OutputDifference, GradientDifference, GradientSize, OutputOverValue, Refusal,
                             RefusedLengths, Arithmetic>;

/// What is stated about a measured value. The value is text, so that it carries its number of digits.
struct Stated {
    enum class Is : std::uint8_t {
        equal,      ///< the same number, or the same words
        rounds_to,  ///< within half a unit of the last digit given
        at_most,
        nan
    };
    Is is = Is::equal;
    std::string_view value;
};

[[nodiscard]] constexpr Stated equal(std::string_view value) {
    return {Stated::Is::equal, value};
}
[[nodiscard]] constexpr Stated rounds_to(std::string_view value) {
    return {Stated::Is::rounds_to, value};
}
[[nodiscard]] constexpr Stated at_most(std::string_view value) {
    return {Stated::Is::at_most, value};
}

/// Dialects that form angles in float32 agree with those that do not up to this, relative, in the small cases of the
/// catalogue: an angle below 32 rad takes three roundings of 2^-24 each, 32 * 3 * 6e-8 = 5.8e-6, and float32 LSE and
/// weights add less than 1e-6.
inline constexpr Stated float32_noise = at_most("1e-5");
/// Two results of the same double arithmetic over at most 32 keys, summed in another order: 32 * 2^-53 = 3.6e-15.
inline constexpr Stated double_noise = at_most("1e-14");

struct Figure {
    std::string_view what;  ///< what is measured, for a reader
    Measure measure;
    Stated stated;
};

/// Figures, or the reason why there are none.
struct Demonstration {
    std::vector<Figure> figures;
    std::string_view not_shown = {};
};

}  // namespace dca::hazards
