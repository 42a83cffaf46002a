#include "golden/schema.hpp"

#include <algorithm>
#include <vector>

#include "golden/dialect_facts.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

using V = AttributeValue;
using P = Problem;
using O = std::optional<AttributeValue>;
using enum AttributeType;

std::int64_t whole(const V& value) {
    return std::get<std::int64_t>(value);
}
double real_of(const V& value) {
    return std::get<double>(value);
}
const std::string& text_of(const V& value) {
    return std::get<std::string>(value);
}

template <class T>
O optional_value(const std::optional<T>& value) {
    return value ? O(*value) : std::nullopt;
}

std::string one_of(std::string_view got, std::span<const std::string_view> names) {
    std::string message = "is '" + printable(got) + "', expected one of";
    for (std::string_view known : names) message += " " + std::string(known);
    return message;
}

template <class T>
T named(const std::string& text, std::optional<T> (*parse)(std::string_view), std::span<const std::string_view> names) {
    const std::optional<T> value = parse(text);
    if (!value) throw InvalidProblem(one_of(text, names));
    return *value;
}

constexpr std::array<std::string_view, 7> dtype_list{"f64", "f32", "tf32", "f16", "bf16", "e4m3", "e5m2"};
constexpr std::array<std::string_view, 3> rope_list{"neox", "interleaved", "none"};
constexpr std::array<std::string_view, 6> scaling_list{"none", "linear", "ntk", "dynamic", "yarn", "llama3"};
void set_dialect(P& p, const V& v) {
    const std::string& wanted = text_of(v);
    if (find_dialect(wanted) == nullptr) throw InvalidProblem(one_of(wanted, dialect_names()));
    p.dialect = wanted;
}

O resolved_rotary_dim(const P& p) {
    return p.rope.layout == RopeLayout::none ? optional_value(p.rope.rotary_dim) : O(p.resolved_rotary_dim());
}

template <std::optional<Dtype> WorkTypes::*Type>
constexpr AttributeRule type_rule(std::string_view attribute) {
    return {attribute, text, false, [](P& p, const V& v) { p.work.*Type = named(text_of(v), parse_dtype, dtype_list); },
            [](const P& p) { return p.work.*Type ? O(std::string(name(*(p.work.*Type)))) : O(); }};
}

constexpr std::array attribute_table{
    type_rule<&WorkTypes::accumulator>("accumulator"),
    AttributeRule{"beta_fast", real, false, [](P& p, const V& v) { p.rope.beta_fast = real_of(v); },
                  [](const P& p) { return O(p.rope.beta_fast); }},
    AttributeRule{"beta_slow", real, false, [](P& p, const V& v) { p.rope.beta_slow = real_of(v); },
                  [](const P& p) { return O(p.rope.beta_slow); }},
    AttributeRule{"chunk_size", integer, true, [](P& p, const V& v) { p.chunk.chunk_size = whole(v); },
                  [](const P& p) { return O(p.chunk.chunk_size); }},
    AttributeRule{"dialect", text, false, set_dialect, [](const P& p) { return O(p.dialect); }},
    AttributeRule{"dtype", text, false, [](P& p, const V& v) { p.dtype = named(text_of(v), parse_dtype, dtype_list); },
                  [](const P& p) { return O(std::string(name(p.dtype))); }},
    AttributeRule{"high_freq_factor", real, false, [](P& p, const V& v) { p.rope.high_freq_factor = real_of(v); },
                  [](const P& p) { return O(p.rope.high_freq_factor); }},
    AttributeRule{"local_size", integer, true, [](P& p, const V& v) { p.chunk.local_size = whole(v); },
                  [](const P& p) { return O(p.chunk.local_size); }},
    AttributeRule{"low_freq_factor", real, false, [](P& p, const V& v) { p.rope.low_freq_factor = real_of(v); },
                  [](const P& p) { return O(p.rope.low_freq_factor); }},
    AttributeRule{"mscale", real, false, [](P& p, const V& v) { p.rope.mscale = real_of(v); },
                  [](const P& p) { return optional_value(p.rope.mscale); }},
    AttributeRule{"original_max_position", real, false,
                  [](P& p, const V& v) { p.rope.original_max_position = real_of(v); },
                  [](const P& p) { return optional_value(p.rope.resolved_original_max_position()); }},
    type_rule<&WorkTypes::output>("output_dtype"),
    type_rule<&WorkTypes::p>("p_dtype"),
    AttributeRule{"query_offset", integer, false, [](P& p, const V& v) { p.query_offset = whole(v); },
                  [](const P& p) { return p.packed() ? O() : O(p.resolved_query_offset()); }},
    AttributeRule{"rope", text, false,
                  [](P& p, const V& v) { p.rope.layout = named(text_of(v), parse_rope_layout, rope_list); },
                  [](const P& p) { return O(std::string(name(p.rope.layout))); }},
    AttributeRule{"rope_base", real, false, [](P& p, const V& v) { p.rope.base = real_of(v); },
                  [](const P& p) { return O(p.rope.base); }},
    AttributeRule{"rope_factor", real, false, [](P& p, const V& v) { p.rope.factor = real_of(v); },
                  [](const P& p) { return optional_value(p.rope.factor); }},
    AttributeRule{"rope_scaling", text, false,
                  [](P& p, const V& v) { p.rope.scaling = named(text_of(v), parse_rope_scaling, scaling_list); },
                  [](const P& p) { return O(std::string(name(p.rope.scaling))); }},
    AttributeRule{"rotary_dim", integer, false, [](P& p, const V& v) { p.rope.rotary_dim = whole(v); },
                  resolved_rotary_dim},
    AttributeRule{"softmax_scale", real, false, [](P& p, const V& v) { p.softmax_scale = real_of(v); },
                  [](const P& p) { return O(p.resolved_softmax_scale()); }},
};
static_assert(std::is_sorted(attribute_table.begin(), attribute_table.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

constexpr std::array<std::string_view, 7> provenance_names{"source", "stub",      "seed", "gradient",
                                                           "note",   "case_text", "kills"};
using enum Axis;
using enum Content;
constexpr std::array<Axis, 4> q_axes{batch, seq_q, heads_q, head_dim}, k_axes{batch, seq_k, heads_kv, head_dim},
    v_axes{batch, seq_k, heads_kv, head_dim_v}, out_axes{batch, seq_q, heads_q, head_dim_v},
    lse_axes{batch, heads_q, seq_q};

constexpr std::array dataset_table{
    DatasetRule{"inputs", "q", input, true, 4, q_axes},
    DatasetRule{"inputs", "k", input, true, 4, k_axes},
    DatasetRule{"inputs", "v", input, true, 4, v_axes},
    DatasetRule{"inputs", "dout", input, false, 4, out_axes},
    DatasetRule{"inputs", "cu_seqlens", boundary, false, 1, {sequences_plus_1}},
    DatasetRule{"inputs", "inv_freq", frequency, false, 1, {rotary_pairs}},
    DatasetRule{"outputs", "out", result, false, 4, out_axes},
    DatasetRule{"outputs", "lse", result, false, 3, lse_axes},
    DatasetRule{"outputs", "dq", result, false, 4, q_axes},
    DatasetRule{"outputs", "dk", result, false, 4, k_axes},
    DatasetRule{"outputs", "dv", result, false, 4, v_axes},
    DatasetRule{"judge", "sigma_out", error_scale, true, 4, out_axes},
    DatasetRule{"judge", "sigma_lse", error_scale, true, 3, lse_axes},
    DatasetRule{"judge", "sigma_dq", error_scale, false, 4, q_axes},
    DatasetRule{"judge", "sigma_dk", error_scale, false, 4, k_axes},
    DatasetRule{"judge", "sigma_dv", error_scale, false, 4, v_axes},
    DatasetRule{"judge", "sample_rows", row_number, false, 1, {samples}},
    DatasetRule{"judge", "query_region", region, true, 1, {seq_q}},
    DatasetRule{"judge", "key_region", region, true, 1, {seq_k}},
};

constexpr std::array<std::string_view, 3> group_table{"inputs", "outputs", "judge"};
constexpr std::array<std::string_view, 10> axis_names{"batch",          "seq_q",    "seq_k",      "heads_q",
                                                      "heads_kv",       "head_dim", "head_dim_v", "sequences + 1",
                                                      "rotary_dim / 2", "samples"};

}  // namespace

std::span<const AttributeRule> problem_attributes() {
    return attribute_table;
}

AttributeValue unwrapped(const AttributeValue& value) {
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value); list && list->size() == 1)
        return list->front();
    if (const auto* list = std::get_if<std::vector<double>>(&value); list && list->size() == 1) return list->front();
    return value;
}

void set_attribute(const AttributeRule& rule, const AttributeValue& given, Problem& problem) {
    const AttributeValue value = unwrapped(given);
    const auto wrong = [&](std::string_view expected) {
        throw FormatError("is " + std::string(kind_text(value)) + ", expected " + std::string(expected));
    };
    switch (rule.type) {
        case integer:
            if (!std::holds_alternative<std::int64_t>(value)) wrong("an integer");
            return rule.set(problem, value);
        case real:
            if (const auto* number = std::get_if<std::int64_t>(&value)) {
                return rule.set(problem, static_cast<double>(*number));
            }
            if (!std::holds_alternative<double>(value)) wrong("a number");
            return rule.set(problem, value);
        case text:
            if (!std::holds_alternative<std::string>(value)) wrong("a string");
            return rule.set(problem, value);
    }
}

std::string_view kind_text(const AttributeValue& value) {
    if (std::holds_alternative<std::int64_t>(value)) return "an integer";
    if (std::holds_alternative<double>(value)) return "a floating-point number";
    if (std::holds_alternative<std::string>(value)) return "a string";
    return "a list";
}

AttributeClass classify_attribute(std::string_view name) {
    const auto is_name = [&](const AttributeRule& rule) { return rule.name == name; };
    if (std::any_of(attribute_table.begin(), attribute_table.end(), is_name)) return AttributeClass::problem;
    if (name.starts_with("dialect_")) return AttributeClass::dialect_fact;
    if (name.starts_with("measured_") || name.starts_with("expected_") ||
        std::find(provenance_names.begin(), provenance_names.end(), name) != provenance_names.end()) {
        return AttributeClass::provenance;
    }
    if (name == case_checksum_name) return AttributeClass::checksum;
    return name == inputs_stored_name ? AttributeClass::inputs_stored : AttributeClass::unknown;
}

std::string attribute_suggestion(std::string_view name) {
    std::vector<std::string_view> names(provenance_names.begin(), provenance_names.end());
    names.push_back(inputs_stored_name);
    for (const AttributeRule& rule : attribute_table) names.push_back(rule.name);
    for (const FactRule& rule : fact_rules()) names.push_back(rule.name);
    return suggestion(name, names);
}

std::string first_difference(const Problem& a, const Problem& b) {
    if (a.shape != b.shape) return "shape";
    if (a.cu_seqlens != b.cu_seqlens) return "cu_seqlens";
    if (a.rope.inv_freq != b.rope.inv_freq) return "inv_freq";
    for (const AttributeRule& rule : attribute_table) {
        if (rule.get(a) != rule.get(b)) return std::string(rule.name);
    }
    for (const FactRule& rule : fact_rules()) {
        if (rule.get(a.facts) != rule.get(b.facts)) return std::string(rule.name);
    }
    return "";
}

std::span<const std::string_view> dialect_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const Dialect& dialect : dialects()) all.push_back(dialect.name);
        return all;
    }();
    return names;
}

std::string_view name(Axis axis) {
    return axis_names[static_cast<std::size_t>(axis)];
}

std::span<const DatasetRule> datasets() {
    return dataset_table;
}
std::span<const std::string_view> groups() {
    return group_table;
}

const DatasetRule& dataset_rule(std::string_view path) {
    const auto found = std::find_if(dataset_table.begin(), dataset_table.end(),
                                    [&](const DatasetRule& rule) { return rule.path() == path; });
    expects(found != dataset_table.end(), "dataset_rule: not a path of the schema");
    return *found;
}

std::int64_t size_of(Axis axis, const Problem& problem, std::size_t sample_count) {
    const Shape& shape = problem.shape;
    switch (axis) {
        case batch: return shape.batch;
        case seq_q: return shape.seq_q;
        case seq_k: return shape.seq_k;
        case heads_q: return shape.heads_q;
        case heads_kv: return shape.heads_kv;
        case head_dim: return shape.head_dim;
        case head_dim_v: return shape.head_dim_v;
        case samples: return static_cast<std::int64_t>(sample_count);
        case sequences_plus_1:
        case rotary_pairs: break;
    }
    throw ContractError("size_of: not an axis of a tensor");
}

std::vector<Axis> axes_of(const DatasetRule& rule, bool packed, bool sampled) {
    std::vector<Axis> axes(rule.axes.begin(), rule.axes.begin() + rule.rank);
    if (packed && axes.front() == batch) axes.erase(axes.begin());
    if (sampled && (rule.content == result || rule.content == error_scale)) {
        std::replace(axes.begin(), axes.end(), seq_q, samples);
    }
    return axes;
}

}  // namespace dca::golden
