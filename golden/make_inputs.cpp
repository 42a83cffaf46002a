// Irwin-Hall inputs: the sum of eight 16-bit uniforms of one Philox block, centred and scaled to variance 1.
#include "golden/make_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "golden/philox.hpp"

namespace dca::golden {
namespace {

// A uniform u on 0 .. 2^16 - 1 has variance (2^32 - 1) / 12, so the centred integer 2 sum(u) - 8 (2^16 - 1) has
// 32 (2^32 - 1) / 12, and its standard deviation is the inverse of sqrt(3 / (8 (2^32 - 1))), rounded to double here.
constexpr double inverse_deviation = 0x1.3988e1412ed76p-17;

/// Element -> absolute key index within its own sequence (Def.11) -> number of its chunk (Def.1).
std::int64_t chunk_of_v(const Problem& problem, std::int64_t element) {
    const std::int64_t row = element / (problem.shape.heads_kv * problem.shape.head_dim_v) % problem.shape.seq_k;
    std::int64_t start = 0;
    if (problem.packed()) {
        const auto& cu = problem.cu_seqlens;
        start = *(std::upper_bound(cu.begin(), cu.end(), row) - 1);
    }
    return (row - start) / problem.chunk.chunk_len();
}

double v_element(const CaseSpec& spec, std::int64_t element) {
    const InputRecipe& recipe = spec.recipe;
    const Shape& shape = spec.problem.shape;
    const std::int64_t at = recipe.constant_v ? element % (shape.heads_kv * shape.head_dim_v) : element;
    const double value = unit_element(recipe.seed, InputTensor::v, static_cast<std::uint64_t>(at));
    if (recipe.v_offset == 0) return value;
    return value + (chunk_of_v(spec.problem, element) % 2 == 0 ? recipe.v_offset : -recipe.v_offset);
}

/// Elements of one batch entry of a tensor.
std::int64_t entry_size(const Shape& shape, InputTensor tensor) {
    switch (tensor) {
        case InputTensor::q: return shape.seq_q * shape.heads_q * shape.head_dim;
        case InputTensor::k: return shape.seq_k * shape.heads_kv * shape.head_dim;
        case InputTensor::v: return shape.seq_k * shape.heads_kv * shape.head_dim_v;
        case InputTensor::dout: return shape.seq_q * shape.heads_q * shape.head_dim_v;
    }
    throw ContractError("no such input tensor");
}

/// v of the first two entries of linear_v: a multiple of a step so coarse that the sum of any two, below 2^e, has no
/// more bits than the dtype.
double coarse_v(const CaseSpec& spec, std::int64_t element) {
    int e = 0;
    std::frexp(2 * (4.9 + std::abs(spec.recipe.v_offset)), &e);
    const double step = std::ldexp(1.0, e - traits(spec.problem.dtype).precision);
    return std::round(v_element(spec, element) / step) * step;
}

double recipe_element(const CaseSpec& spec, InputTensor tensor, std::int64_t element) {
    const InputRecipe& recipe = spec.recipe;
    const std::int64_t size = entry_size(spec.problem.shape, tensor);
    if (tensor == InputTensor::v) {
        if (!recipe.linear_v) return v_element(spec, element);
        if (element < 2 * size) return coarse_v(spec, element);
        return coarse_v(spec, element % size) + coarse_v(spec, size + element % size);
    }
    const std::int64_t at = recipe.linear_v ? element % size : element;
    const double value = unit_element(recipe.seed, tensor, static_cast<std::uint64_t>(at));
    return tensor == InputTensor::dout ? value : recipe.qk_scale * value;
}

Tensor4 make_tensor(const CaseSpec& spec, InputTensor which, const Extents<4>& extents) {
    Tensor4 tensor(extents);
    std::int64_t element = 0;
    for (double& value : tensor.values()) value = input_element(spec, which, element++);
    return tensor;
}

}  // namespace

double unit_element(std::uint64_t seed, InputTensor tensor, std::uint64_t element) {
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const PhiloxBlock block = philox4x32({low(element), low(element >> 32), static_cast<std::uint32_t>(tensor), 0},
                                         {low(seed), low(seed >> 32)});
    std::int64_t sum = 0;
    for (std::uint32_t word : block) sum += (word & 0xFFFF) + (word >> 16);
    return static_cast<double>(2 * sum - 8 * 0xFFFF) * inverse_deviation;
}

double input_element(const CaseSpec& spec, InputTensor tensor, std::int64_t element) {
    return round_to(spec.problem.dtype, recipe_element(spec, tensor, element));
}

Inputs make_inputs(const CaseSpec& spec) {
    validate(spec.problem);
    if (!std::isfinite(spec.recipe.qk_scale)) throw InvalidProblem("qk_scale must be finite");
    if (!std::isfinite(spec.recipe.v_offset)) throw InvalidProblem("v_offset must be finite");
    const Shape& shape = spec.problem.shape;
    if (spec.recipe.linear_v && shape.batch != 3) {
        throw InvalidProblem("linear_v needs batch 3, not " + std::to_string(shape.batch) +
                             ": v of the third entry is the sum of the other two");
    }
    Inputs inputs;
    inputs.q = make_tensor(spec, InputTensor::q, q_extents(shape));
    inputs.k = make_tensor(spec, InputTensor::k, k_extents(shape));
    inputs.v = make_tensor(spec, InputTensor::v, v_extents(shape));
    if (spec.recipe.gradient) inputs.dout = make_tensor(spec, InputTensor::dout, out_extents(shape));
    validate(spec.problem, inputs);
    return inputs;
}

}  // namespace dca::golden
