#include "reference/chunk_summary/spec/tensors.hpp"

#include <algorithm>
#include <cmath>

#include "reference/spec/error.hpp"

namespace dca::chunk_summary {
namespace {

enum class Axis : std::uint8_t { none, batch, seq_len, embed, hidden, hidden3, heads, head_dim, ffn };
enum class Part : std::uint8_t { input, embedding, block, attention, ending };

struct Rule {
    std::string_view name;
    Part part;
    std::array<Axis, 3> axes;
};

using enum Axis;
constexpr std::array<Rule, tensor_count> rules{{
    {"x", Part::input, {batch, seq_len, embed}},
    {"w_embed", Part::embedding, {embed, hidden}},
    {"b_embed", Part::embedding, {hidden}},
    {"attn_norm_scale", Part::block, {hidden}},
    {"attn_norm_shift", Part::block, {hidden}},
    {"w_qkv", Part::attention, {hidden, hidden3}},
    {"b_qkv", Part::attention, {hidden3}},
    {"gamma", Part::attention, {heads, head_dim}},
    {"w_out", Part::attention, {hidden, hidden}},
    {"b_out", Part::attention, {hidden}},
    {"ffn_norm_scale", Part::block, {hidden}},
    {"ffn_norm_shift", Part::block, {hidden}},
    {"w_up", Part::block, {hidden, ffn}},
    {"b_up", Part::block, {ffn}},
    {"w_down", Part::block, {ffn, hidden}},
    {"b_down", Part::block, {hidden}},
    {"final_norm_scale", Part::ending, {hidden}},
    {"final_norm_shift", Part::ending, {hidden}},
}};

const Rule& rule_of(TensorId id) {
    return rules[static_cast<std::size_t>(id)];
}

std::int64_t size_of(const Problem& p, Axis axis) {
    switch (axis) {
        case batch: return p.batch;
        case seq_len: return p.seq_len;
        case embed: return p.embed;
        case hidden: return p.hidden;
        case hidden3: return 3 * p.hidden;
        case heads: return p.heads;
        case head_dim: return p.head_dim();
        case ffn: return p.ffn_hidden();
        case none: break;
    }
    throw ContractError("no such axis");
}

std::string text_of(Axis axis, Scope scope) {
    switch (axis) {
        case batch: return "batch";
        case seq_len: return "seq_len";
        case embed: return scope == Scope::model ? "embed" : "hidden";
        case hidden: return "hidden";
        case hidden3: return "3 hidden";
        case heads: return "heads";
        case head_dim: return "hidden / heads";
        case ffn: return "4 hidden";
        case none: break;
    }
    throw ContractError("no such axis");
}

bool stacked(const Problem& p, TensorId id) {
    return p.scope == Scope::model && per_layer(id);
}

void require_tensor(const std::string& what, const std::vector<double>& values, std::int64_t expected) {
    if (static_cast<std::int64_t>(values.size()) != expected) {
        throw InvalidProblem(what + " has " + std::to_string(values.size()) + " elements, the problem needs " +
                             std::to_string(expected));
    }
    if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
        throw InvalidProblem(what + " must be finite");
    }
}

}  // namespace

std::string_view name(TensorId id) {
    return rule_of(id).name;
}

std::string gradient_name(TensorId id) {
    return "d" + std::string(name(id));
}

bool has(const Problem& problem, TensorId id) {
    switch (rule_of(id).part) {
        case Part::input:
        case Part::attention: return true;
        case Part::block: return problem.scope != Scope::attention;
        case Part::embedding: return problem.scope == Scope::model && problem.embed != problem.hidden;
        case Part::ending: return problem.scope == Scope::model;
    }
    throw ContractError("no such part");
}

bool per_layer(TensorId id) {
    return rule_of(id).part == Part::block || rule_of(id).part == Part::attention;
}

Sizes extents(const Problem& problem, TensorId id) {
    Sizes sizes;
    if (stacked(problem, id)) sizes.push_back(problem.layers);
    for (const Axis axis : rule_of(id).axes) {
        if (axis != none) sizes.push_back(size_of(problem, axis));
    }
    return sizes;
}

std::string axes_text(const Problem& problem, TensorId id) {
    std::string out = stacked(problem, id) ? "layers" : "";
    for (const Axis axis : rule_of(id).axes) {
        if (axis != none) out += (out.empty() ? "" : ", ") + text_of(axis, problem.scope);
    }
    return out;
}

Sizes out_extents(const Problem& problem) {
    if (problem.scope == Scope::model && problem.pooling != Pooling::all) return {problem.batch, problem.hidden};
    return {problem.batch, problem.seq_len, problem.hidden};
}

std::string out_axes_text(const Problem& problem) {
    return out_extents(problem).size() == 2 ? "batch, hidden" : "batch, seq_len, hidden";
}

Sizes judged_extents(const Problem& problem, TensorId id) {
    const std::int64_t layers = stacked(problem, id) ? problem.layers : 1;
    if (id == TensorId::x) return {problem.batch, problem.seq_len, 1, problem.embed};
    if (id == TensorId::gamma) return {layers, 1, problem.heads, problem.head_dim()};
    // The thirds of the projection differ in size (the gradient of the bias of k is 0): one row each.
    if (id == TensorId::b_qkv) return {layers, 3, 1, problem.hidden};
    if (id == TensorId::w_qkv) return {layers, problem.hidden, 3, problem.hidden};
    const auto& axes = rule_of(id).axes;
    if (axes[1] == none) return {layers, 1, 1, size_of(problem, axes[0])};
    return {layers, size_of(problem, axes[0]), 1, size_of(problem, axes[1])};
}

Sizes judged_out_extents(const Problem& problem) {
    return {problem.batch, problem.out_rows(), 1, problem.hidden};
}

std::int64_t element_count(const Sizes& extents) {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) count *= extent;
    return count;
}

void validate(const Problem& problem, const Inputs& inputs) {
    validate(problem);
    for (const TensorId id : all_tensors) {
        const std::int64_t expected = has(problem, id) ? element_count(extents(problem, id)) : 0;
        require_tensor(std::string(name(id)), inputs.tensors[id], expected);
    }
    if (!inputs.dout.empty()) require_tensor("dout", inputs.dout, element_count(out_extents(problem)));
}

}  // namespace dca::chunk_summary
