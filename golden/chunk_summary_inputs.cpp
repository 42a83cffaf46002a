#include "golden/chunk_summary_inputs.hpp"

#include <cmath>

#include "golden/make_inputs.hpp"
#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

using chunk_summary::Sizes;
using chunk_summary::TensorId;

/// Streams of their own, apart from those of q, k, v and dout.
constexpr std::uint32_t dout_stream = 15, first_stream = 16;

double unit(const ChunkSummarySpec& spec, std::uint32_t stream, std::int64_t element) {
    return unit_element(spec.recipe.seed, static_cast<InputTensor>(stream), static_cast<std::uint64_t>(element));
}

/// Divisor of a weight that keeps its outputs as large as its inputs, 1 for everything else. A square root is rounded
/// the same way everywhere.
double root_of_inputs(TensorId id, const Sizes& sizes) {
    return name(id).starts_with("w_") ? std::sqrt(static_cast<double>(sizes[sizes.size() - 2])) : 1;
}

bool is_norm_scale(TensorId id) {
    return id == TensorId::attn_norm_scale || id == TensorId::ffn_norm_scale || id == TensorId::final_norm_scale;
}

std::vector<double> make_tensor(const ChunkSummarySpec& spec, TensorId id) {
    const Sizes sizes = extents(spec.problem, id);
    const double root = root_of_inputs(id, sizes);
    const bool projection = id == TensorId::w_qkv || id == TensorId::b_qkv;
    std::vector<double> values(static_cast<std::size_t>(chunk_summary::element_count(sizes)));
    std::int64_t element = 0;
    for (double& value : values) {
        value = unit(spec, first_stream + static_cast<std::uint32_t>(id), element) / root;
        if (is_norm_scale(id)) value = 1 + value / 4;
        if (projection && element % (3 * spec.problem.hidden) < 2 * spec.problem.hidden) value *= spec.recipe.qk_scale;
        value = round_to(spec.problem.dtype, value);
        ++element;
    }
    return values;
}

}  // namespace

chunk_summary::Inputs make_chunk_summary_inputs(const ChunkSummarySpec& spec) {
    validate(spec.problem);
    if (!std::isfinite(spec.recipe.qk_scale)) throw InvalidProblem("qk_scale must be finite");
    chunk_summary::Inputs inputs;
    for (const TensorId id : chunk_summary::all_tensors) {
        if (has(spec.problem, id)) inputs.tensors[id] = make_tensor(spec, id);
    }
    if (spec.recipe.gradient) {
        inputs.dout.resize(static_cast<std::size_t>(chunk_summary::element_count(out_extents(spec.problem))));
        std::int64_t element = 0;
        for (double& value : inputs.dout) {
            value = round_to(spec.problem.dtype, unit(spec, dout_stream, element++));
        }
    }
    validate(spec.problem, inputs);
    return inputs;
}

}  // namespace dca::golden
