#include "verify/hazards/rule_words.hpp"

#include "reference/spec/error.hpp"
#include "verify/hazards/document.hpp"

namespace dca::hazards {
namespace {

[[noreturn]] void unknown() {
    throw ContractError("a rule without words");
}

}  // namespace

std::string words(SuccRule rule) {
    switch (rule) {
        case SuccRule::clamped: return "min(r + L, C)";
        case SuccRule::windowed: return "r + L where r < w_p, else C - 1";
    }
    unknown();
}

std::string words(InterRule rule) {
    switch (rule) {
        case InterRule::clamped: return "min(2L - 1, C)";
        case InterRule::chunk_size: return "C";
        case InterRule::last_trained: return "C - 1";
    }
    unknown();
}

std::string words(LinearScaling rule) {
    switch (rule) {
        case LinearScaling::frequencies: return "frequencies / F";
        case LinearScaling::positions: return "positions / F, after the clamp";
        case LinearScaling::positions_twice: return "min(r / F + L, C) / F, others r / F (H12)";
    }
    unknown();
}

std::string words(ScalingSupport rule) {
    switch (rule) {
        case ScalingSupport::any: return "all";
        case ScalingSupport::linear_only: return "none, linear (H15)";
        case ScalingSupport::none: return "none; others are an error (H15)";
        case ScalingSupport::ignored: return "ignored (H15)";
    }
    unknown();
}

std::string words(AngleArithmetic rule) {
    switch (rule) {
        case AngleArithmetic::exact: return "exact";
        case AngleArithmetic::float32: return "float32 (H13)";
        case AngleArithmetic::float32_chain: return "float32, each from the one before (H13)";
        case AngleArithmetic::float32_below_f64: return "exact in f64, else float32 (H13)";
    }
    unknown();
}

std::string words(RotationArithmetic rule) {
    switch (rule) {
        case RotationArithmetic::exact: return "exact";
        case RotationArithmetic::activation: return "activation type";
    }
    unknown();
}

std::string words(TemperaturePlace place) {
    switch (place) {
        case TemperaturePlace::nowhere: return "none";
        case TemperaturePlace::tables: return "cos and sin: rotated channels (H11)";
        case TemperaturePlace::whole_head: return "whole head (H11)";
        case TemperaturePlace::undocumented: return "not documented; refused where it would not be 1 (H17)";
    }
    unknown();
}

std::string words(Rounding rule) {
    switch (rule) {
        case Rounding::none: return "not rounded";
        case Rounding::float32: return "float32";
        case Rounding::bf16: return "bf16";
        case Rounding::activation: return "activation type";
    }
    unknown();
}

std::string words(GradientRule rule) {
    switch (rule) {
        case GradientRule::exact: return "true";
        case GradientRule::detached_merge: return "detached merge (H34)";
    }
    unknown();
}

std::string words(CacheUse rule) {
    switch (rule) {
        case CacheUse::none: return "none (H46)";
        case CacheUse::one_token: return "one token at a time (H38)";
        case CacheUse::any: return "decode and chunked prefill";
    }
    unknown();
}

std::string words(TableLimit rule) {
    switch (rule) {
        case TableLimit::none: return "";
        case TableLimit::query_positions: return "fails for L < n <= min(2L - 1, C) (H43)";
        case TableLimit::key_index: return "`dialect_max_position_embeddings` keys (H14)";
        case TableLimit::cache_rows: return "`dialect_table_rows` keys, default 33280 (H14)";
    }
    unknown();
}

std::string words(const MergeRule& rule) {
    if (!rule.parts) return "one softmax";
    std::string out = "three parts";
    if (rule.lse != Rounding::none) out += "; lse " + words(rule.lse);
    if (rule.weight != Rounding::none) out += "; weights " + words(rule.weight);
    if (rule.part_in_activation) out += "; parts activation type";
    if (rule.product_in_activation) out += "; products activation type";
    return out;
}

std::string factor_words(const Temperature& law) {
    if (law.place == TemperaturePlace::nowhere) return "1";
    return "max(1, " + short_number(law.coefficient) + " ln(x / O) + 1)";
}

Lengths lengths(const Temperature& law) {
    if (law.place == TemperaturePlace::nowhere) return {"", "", "", "", ""};
    const bool unscaled = law.generated_keys == GeneratedKeys::unscaled;
    switch (law.length) {
        case TemperatureLength::longest_seen:
            return {"max(keys, seen)", "max(keys, seen)", "max(i + 1, prompt, seen)", "max(prompt, seen)",
                    "max(j + 1, prompt, seen)"};
        case TemperatureLength::prompt:
            return {"prompt", "prompt", "i + 1", "prompt", unscaled ? "no factor" : "j + 1"};
        case TemperatureLength::own_index: return {"i + 1", "no factor", "i + 1", "no factor", "no factor"};
    }
    unknown();
}

}  // namespace dca::hazards
