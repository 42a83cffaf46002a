#include "reference/spec/problem.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace dca {
namespace {

constexpr std::array<std::pair<RopeLayout, std::string_view>, 3> layout_names{{
    {RopeLayout::none, "none"},
    {RopeLayout::neox, "neox"},
    {RopeLayout::interleaved, "interleaved"},
}};

constexpr std::array<std::pair<RopeScaling, std::string_view>, 6> scaling_names{{
    {RopeScaling::none, "none"},
    {RopeScaling::linear, "linear"},
    {RopeScaling::ntk, "ntk"},
    {RopeScaling::dynamic, "dynamic"},
    {RopeScaling::yarn, "yarn"},
    {RopeScaling::llama3, "llama3"},
}};

template <class Table, class Key>
std::string_view find_name(const Table& table, Key key) {
    for (const auto& [value, text] : table) {
        if (value == key) return text;
    }
    throw ContractError("enumerator without a name");
}

template <class Key, class Table>
std::optional<Key> find_value(const Table& table, std::string_view wanted) {
    for (const auto& [value, text] : table) {
        if (text == wanted) return value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view name(RopeLayout layout) {
    return find_name(layout_names, layout);
}
std::string_view name(RopeScaling scaling) {
    return find_name(scaling_names, scaling);
}
std::optional<RopeLayout> parse_rope_layout(std::string_view text) {
    return find_value<RopeLayout>(layout_names, text);
}
std::optional<RopeScaling> parse_rope_scaling(std::string_view text) {
    return find_value<RopeScaling>(scaling_names, text);
}

double Problem::resolved_softmax_scale() const {
    if (softmax_scale) return *softmax_scale;
    // long double, so that the one rounding to double is the correct one for every head_dim in use (tested to 4096).
    return static_cast<double>(1.0L / std::sqrt(static_cast<long double>(shape.head_dim)));
}

Dtype Problem::resolved_accumulator() const {
    return work.accumulator.value_or(dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32);
}

Dtype Problem::resolved_output_dtype() const {
    if (work.output) return *work.output;
    if (traits(dtype).storage_bits == 8) return Dtype::bf16;
    return dtype == Dtype::tf32 ? Dtype::f32 : dtype;
}

std::optional<double> RopeConfig::resolved_original_max_position() const {
    if (original_max_position) return original_max_position;
    if (scaling == RopeScaling::yarn) return 4096.0;
    if (scaling == RopeScaling::llama3) return 8192.0;
    return std::nullopt;
}

}  // namespace dca
