// What changes between two dialects on one case: plain values, the single source of its reports.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/spec/dialect.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// Of the first dialect, of the second.
template <class T>
using Both = std::array<T, 2>;

/// Visible pairs of one mode, and those whose relative position (Def.3) differs.
struct ModePairs {
    Mode mode = Mode::intra;
    std::int64_t pairs = 0, different = 0;
};

struct DifferentPair {
    std::int64_t sequence = 0, query = 0, key = 0;  ///< absolute indices in that batch entry or packed sequence
    Mode mode = Mode::intra;
    Both<double> relative{};
};

struct PositionDifference {
    std::array<ModePairs, 3> modes;      ///< in the order of all_modes, over all sequences
    std::optional<DifferentPair> first;  ///< the lowest query, then the lowest key; empty: identical
};

/// A dialect's length temperature on one sequence.
struct TemperatureEnds {
    Temperature law;
    std::optional<std::int64_t> reference;  ///< length up to which the factor is 1; none given or 0: 1 everywhere
    double first_query = 1, last_query = 1, first_key = 1, last_key = 1;  ///< a_i and b_j
    [[nodiscard]] bool off() const { return law.place == TemperaturePlace::nowhere || reference.value_or(0) == 0; }
};

struct TemperatureDifference {
    std::int64_t sequence = 0;                           ///< the first that differs; 0 where none does
    Both<TemperatureEnds> ends;                          ///< of that sequence
    std::optional<std::int64_t> first_query, first_key;  ///< lowest index whose a_i, b_j differs
    std::optional<std::int64_t> first_length;            ///< the shortest sequence on which the laws can differ
    Both<double> logit{1, 1};  ///< a_i b_j of the last query and, where a b_j differs, the first such key; else key 0
    bool other_dims = false;   ///< both act, one on the rotary dims and one on all
    [[nodiscard]] bool any() const { return first_query || first_key || other_dims; }
};

struct RuleDifference {
    std::string rule;
    Both<std::string> value;
};

enum class Difference : std::uint8_t {
    identical,     ///< the same bits
    within_noise,  ///< no element or row over the lines that dca compare draws
    above_noise
};

struct TensorDifference {
    Difference difference = Difference::identical;
    std::optional<std::int64_t> first_row;  ///< lowest row with an element above noise, or a row where that alone is
    TensorReport numbers;                   ///< the second dialect's values held against the first's
};

struct DialectDifference {
    std::string case_id;
    std::string dtype;
    Both<std::string> dialects;
    Both<std::optional<std::string>> refusals;  ///< why a dialect cannot run the case
    PositionDifference positions;
    TemperatureDifference temperature;
    std::vector<RuleDifference> rules;      ///< only those that differ and matter to the case
    std::vector<TensorDifference> tensors;  ///< out, lse and gradients; empty where a dialect cannot run the case
};

}  // namespace dca::verify
