// Irwin-Hall inputs: the sum of eight 16-bit uniforms of one Philox block, centred and scaled to variance 1.
#include "golden/make_inputs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/philox.hpp"
#include "golden/sample_rows.hpp"

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
    std::int64_t at = recipe.linear_v ? element % size : element;
    if (recipe.probe && tensor != InputTensor::dout) {
        const Shape& shape = spec.problem.shape;
        at %= (tensor == InputTensor::q ? shape.heads_q : shape.heads_kv) * shape.head_dim;
    }
    const double value = unit_element(recipe.seed, tensor, static_cast<std::uint64_t>(at));
    return tensor == InputTensor::dout ? value : recipe.qk_scale * value;
}

constexpr std::string_view name_of(InputTensor tensor) {
    constexpr std::array<std::string_view, 4> names{"q", "k", "v", "dout"};
    return names[static_cast<std::size_t>(tensor)];
}

Tensor4 make_tensor(const InputSource& source, InputTensor which) {
    Tensor4 tensor(source.extents(which));
    const std::int64_t rows = tensor.extent(1);
    const std::size_t batch_size = tensor.values().size() / static_cast<std::size_t>(tensor.extent(0));
    for (std::int64_t b = 0; b < tensor.extent(0); ++b) {
        source.fill_rows(which, b, 0, rows,
                         tensor.values().subspan(static_cast<std::size_t>(b) * batch_size, batch_size));
    }
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
    if (tensor == InputTensor::dout && spec.recipe.sample > 0) {
        const Shape& shape = spec.problem.shape;
        const std::int64_t row = element / (shape.heads_q * shape.head_dim_v) % shape.seq_q;
        const std::vector<std::int64_t> rows = sample_rows(spec);
        if (!std::binary_search(rows.begin(), rows.end(), row)) return 0;
    }
    return round_to(spec.problem.dtype, recipe_element(spec, tensor, element));
}

InputSource::InputSource(CaseSpec spec) : spec_(std::move(spec)) {
    validate(spec_.problem);
    if (!std::isfinite(spec_.recipe.qk_scale)) throw InvalidProblem("qk_scale must be finite");
    if (!std::isfinite(spec_.recipe.v_offset)) throw InvalidProblem("v_offset must be finite");
    if (spec_.recipe.linear_v && spec_.problem.shape.batch != 3) {
        throw InvalidProblem("linear_v needs batch 3, not " + std::to_string(spec_.problem.shape.batch) +
                             ": v of the third entry is the sum of the other two");
    }
    if (spec_.recipe.sample > 0 && spec_.problem.packed()) {
        throw InvalidProblem("sample= and cu_seqlens= do not go together: no rows are sampled of packed sequences");
    }
    sampled_ = sample_rows(spec_);
}

Extents<4> InputSource::extents(InputTensor tensor) const {
    const Shape& shape = spec_.problem.shape;
    switch (tensor) {
        case InputTensor::q: return q_extents(shape);
        case InputTensor::k: return k_extents(shape);
        case InputTensor::v: return v_extents(shape);
        case InputTensor::dout: return out_extents(shape);
    }
    throw ContractError("no such input tensor");
}

/// Rows [begin, end) of all batch entries one after another; of each the elements [first, first + columns).
void InputSource::fill(InputTensor tensor, std::int64_t begin, std::int64_t end, std::int64_t first,
                       std::int64_t columns, std::span<double> out) const {
    const auto [batches, rows, heads, dim] = extents(tensor);
    const bool masked = tensor == InputTensor::dout && !sampled_.empty();
    bool finite = true;
    double* value = out.data();
    for (std::int64_t row = begin; row < end; ++row) {
        if (masked && !std::binary_search(sampled_.begin(), sampled_.end(), row % rows)) {
            value = std::fill_n(value, columns, 0.0);
            continue;
        }
        const std::int64_t element = row * heads * dim + first;
        for (std::int64_t c = 0; c < columns; ++c) {
            *value = round_to(spec_.problem.dtype, recipe_element(spec_, tensor, element + c));
            finite = finite && std::isfinite(*value++);
        }
    }
    if (!finite) {
        throw InvalidProblem("a value of " + std::string(name_of(tensor)) + " leaves the range of " +
                             std::string(name(spec_.problem.dtype)));
    }
}

void InputSource::fill_rows(InputTensor tensor, std::int64_t batch, std::int64_t begin, std::int64_t end,
                            std::span<double> out) const {
    const auto [batches, rows, heads, dim] = extents(tensor);
    expects(0 <= batch && batch < batches && 0 <= begin && begin <= end && end <= rows, "fill_rows: no such rows");
    expects(static_cast<std::int64_t>(out.size()) == (end - begin) * heads * dim, "fill_rows: wrong size");
    fill(tensor, batch * rows + begin, batch * rows + end, 0, heads * dim, out);
}

void InputSource::fill_head(InputTensor tensor, std::int64_t batch, std::int64_t head, std::int64_t begin,
                            std::int64_t end, std::span<double> out) const {
    const auto [batches, rows, heads, dim] = extents(tensor);
    expects(0 <= batch && batch < batches && 0 <= head && head < heads && 0 <= begin && begin <= end && end <= rows,
            "fill_head: no such rows");
    expects(static_cast<std::int64_t>(out.size()) == (end - begin) * dim, "fill_head: wrong size");
    fill(tensor, batch * rows + begin, batch * rows + end, head * dim, dim, out);
}

double InputSource::typical_largest(InputTensor tensor) const {
    constexpr std::int64_t most_elements = std::int64_t{1} << 20;
    const auto [batches, rows, heads, dim] = extents(tensor);
    // Of a sparse dout, the rows that are not 0.
    const bool masked = tensor == InputTensor::dout && !sampled_.empty();
    const std::int64_t per_batch = masked ? static_cast<std::int64_t>(sampled_.size()) : rows;
    const std::int64_t all = batches * per_batch,
                       wanted = std::clamp<std::int64_t>(most_elements / (heads * dim), 1, all);
    std::vector<double> values(static_cast<std::size_t>(heads * dim));
    double largest = 0;
    for (std::int64_t n = 0; n < wanted; ++n) {
        // n-th of `wanted` evenly spaced rows, in 128 bits because all * n may not fit in 64.
        const auto at = static_cast<std::int64_t>(static_cast<__int128>(all) * n / wanted);
        const std::int64_t row = masked ? sampled_[static_cast<std::size_t>(at % per_batch)] : at % per_batch;
        fill_rows(tensor, at / per_batch, row, row + 1, values);
        for (const double value : values) largest = std::max(largest, std::abs(value));
    }
    return largest;
}

Inputs make_inputs(const CaseSpec& spec) {
    const InputSource source(spec);
    Inputs inputs;
    inputs.q = make_tensor(source, InputTensor::q);
    inputs.k = make_tensor(source, InputTensor::k);
    inputs.v = make_tensor(source, InputTensor::v);
    if (spec.recipe.gradient) inputs.dout = make_tensor(source, InputTensor::dout);
    validate(spec.problem, inputs);
    return inputs;
}

}  // namespace dca::golden
