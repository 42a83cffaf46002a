// Schema version 1 of the tensor file as tables: the attributes of a problem and the datasets of a case. Reader,
// writer, lint and docs/golden_format.md all follow them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "golden/store.hpp"

namespace dca::golden {

inline constexpr std::string_view schema_name = "dca";
inline constexpr std::int64_t schema_version = 1;

enum class AttributeType : std::uint8_t { integer, real, text };

/// One attribute of a problem: how it gets into a Problem and out of it.
struct AttributeRule {
    std::string_view name;
    AttributeType type;
    bool required;
    /// Sets the field; the value already has the rule's type (a real rule gets a double). Throws InvalidProblem for a
    /// name that is not one of the known ones.
    void (*set)(Problem&, const AttributeValue&);
    /// The value with its default resolved; nullopt where there is none to write.
    std::optional<AttributeValue> (*get)(const Problem&);
};

/// In lexical order of the names.
[[nodiscard]] std::span<const AttributeRule> problem_attributes();

/// A list of one number as that number, which some writers cannot help; anything else unchanged.
[[nodiscard]] AttributeValue unwrapped(const AttributeValue& value);

/// Converts a value to the type of the rule and sets it. Throws FormatError ("is a string, expected an integer") or
/// InvalidProblem.
void set_attribute(const AttributeRule& rule, const AttributeValue& value, Problem& problem);

/// What a value is, for messages: "an integer", "a string", ...
[[nodiscard]] std::string_view kind_text(const AttributeValue& value);

/// The attribute of a case whose inputs are not in the file (0) but follow from its case_text; absent: 1.
inline constexpr std::string_view inputs_stored_name = "inputs_stored";

/// The attribute of a case that protects the others (case_checksum.hpp).
inline constexpr std::string_view case_checksum_name = "case_crc32";

enum class AttributeClass : std::uint8_t { problem, dialect_fact, provenance, inputs_stored, checksum, unknown };
[[nodiscard]] AttributeClass classify_attribute(std::string_view name);
/// ", did you mean NAME?" for a misspelt attribute.
[[nodiscard]] std::string attribute_suggestion(std::string_view name);

/// The published behaviours a file may ask for (docs/golden_format.md).
[[nodiscard]] std::span<const std::string_view> dialect_names();

/// What two problems state differently once defaults are resolved: the name of an attribute, "shape", "cu_seqlens" or
/// "inv_freq"; empty if nothing.
[[nodiscard]] std::string first_difference(const Problem& a, const Problem& b);

/// The axes of all tensors. In a packed file batch does not exist and seq_k is seq_q: both count tokens.
enum class Axis : std::uint8_t {
    batch,
    seq_q,
    seq_k,
    heads_q,
    heads_kv,
    head_dim,
    head_dim_v,
    sequences_plus_1,
    rotary_pairs,
    samples  ///< in place of seq_q for what a sampled case expects
};
[[nodiscard]] std::string_view name(Axis axis);

/// What the elements of a dataset are, and so how they are checked.
enum class Content : std::uint8_t {
    input,        ///< finite, exactly representable in the case's dtype
    frequency,    ///< finite
    boundary,     ///< integers
    result,       ///< anything, NaN and infinities included
    error_scale,  ///< not negative, not NaN
    region,       ///< integers 0 .. 3
    row_number    ///< integers from 0 on
};

/// One dataset of a case.
struct DatasetRule {
    std::string_view group, name;
    Content content;
    bool required;  ///< wherever its group is present (outputs: none is)
    int rank;       ///< of a batched case
    std::array<Axis, 4> axes;
    [[nodiscard]] std::string path() const { return std::string(group) + "/" + std::string(name); }
};

[[nodiscard]] std::span<const DatasetRule> datasets();
[[nodiscard]] std::span<const std::string_view> groups();
/// Precondition: the path is one of the schema's.
[[nodiscard]] const DatasetRule& dataset_rule(std::string_view path);
/// The size of an axis in this problem with so many sampled rows. Precondition: the axis counts elements of a tensor.
[[nodiscard]] std::int64_t size_of(Axis axis, const Problem& problem, std::size_t samples);
/// The axes a dataset really has: a packed case drops batch, and a sampled one has results and scales for its samples.
[[nodiscard]] std::vector<Axis> axes_of(const DatasetRule& rule, bool packed, bool sampled = false);

}  // namespace dca::golden
