// The dialect_* attributes of a case as a table: how each gets into DialectFacts and out of it. Files and case texts
// use the same names.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "golden/store.hpp"

namespace dca::golden {

struct FactName {
    std::string_view name;
    std::string_view expected;  ///< what a value has to be, for messages
};

inline constexpr std::string_view fact_length = "an integer from 1 to 2^40";
inline constexpr std::string_view fact_length_or_0 = "an integer from 0 to 2^40";
inline constexpr std::string_view fact_sizes = "integers from 1 to 2^40, one or one for each query head";
inline constexpr std::array<FactName, 17> fact_names{{
    {"dialect_phase", "prefill or decode"},
    {"dialect_prompt_length", "integers from 1 to 2^40, one or one for each sequence"},
    {"dialect_max_position_embeddings", fact_length},
    {"dialect_max_seen_length", fact_length_or_0},
    {"dialect_original_max_position_embeddings", fact_length_or_0},
    {"dialect_table_rows", fact_length},
    {"dialect_page_size", fact_length},
    {"dialect_paper_window", fact_length_or_0},
    {"dialect_path", "unfused or flash"},
    {"dialect_sparse_vertical_size", fact_sizes},
    {"dialect_sparse_slash_size", fact_sizes},
    {"dialect_sparse_last_q", fact_length},
    {"dialect_sparse_block", fact_length},
    {"dialect_sparse_forced_verticals", fact_length_or_0},
    {"dialect_sparse_forced_slashes", fact_length_or_0},
    {"dialect_sparse_threshold", fact_length_or_0},
    {"dialect_sparse_rules", "vllm or sglang_later"},
}};

struct FactRule {
    std::string_view name, expected;
    /// False where the value is not what is expected.
    bool (*set)(DialectFacts&, const AttributeValue&);
    /// nullopt where the fact is not given.
    std::optional<AttributeValue> (*get)(const DialectFacts&);
};

/// In the order of fact_names.
[[nodiscard]] const std::array<FactRule, fact_names.size()>& fact_rules();
/// nullptr where no dialect uses a fact of that name.
[[nodiscard]] const FactRule* find_fact(std::string_view name);

/// Sets a fact. Throws FormatError ("is a string, expected ...") where the value does not fit.
void set_fact(const FactRule& rule, const AttributeValue& value, DialectFacts& facts);

/// A fact as a word of a case text: integers separated by commas, or a name. False where it cannot be read.
[[nodiscard]] bool read_fact(const FactRule& rule, std::string_view text, DialectFacts& facts);
/// Empty where it is not given.
[[nodiscard]] std::string fact_text(const FactRule& rule, const DialectFacts& facts);

}  // namespace dca::golden
