// The rules of a dialect in words, for tables.
#pragma once

#include <string>

#include "reference/spec/dialect.hpp"

namespace dca::hazards {

[[nodiscard]] std::string words(SuccRule rule);
[[nodiscard]] std::string words(InterRule rule);
[[nodiscard]] std::string words(LinearScaling rule);
[[nodiscard]] std::string words(ScalingSupport rule);
[[nodiscard]] std::string words(AngleArithmetic rule);
[[nodiscard]] std::string words(RotationArithmetic rule);
[[nodiscard]] std::string words(TemperaturePlace place);
[[nodiscard]] std::string words(Rounding rule);
[[nodiscard]] std::string words(GradientRule rule);
[[nodiscard]] std::string words(CacheUse rule);
[[nodiscard]] std::string words(TableLimit rule);
/// "one softmax" or "parts; lse float32; weights bf16; ...".
[[nodiscard]] std::string words(const MergeRule& rule);

/// The law f(x) = max(1, c ln(x / O) + 1) of a dialect with numbers, "1" where there is none.
[[nodiscard]] std::string factor_words(const Temperature& law);
/// The length x that enters the factor of a query and of a key.
struct Lengths {
    std::string prefill_query, prefill_key, decode_query, decode_prompt_key, decode_generated_key;
};
[[nodiscard]] Lengths lengths(const Temperature& law);

}  // namespace dca::hazards
