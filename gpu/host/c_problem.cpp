#include "gpu/host/c_problem.hpp"

#include <array>

namespace dca::gpu::host {
namespace {

static_assert(DCA_GPU_INTRA == mode_intra && DCA_GPU_SUCC == mode_succ && DCA_GPU_INTER == mode_inter);

/// The enumerator that a number of the C interface stands for: its place in the list.
template <class E, std::size_t N>
E choose(const char* field, std::int32_t value, const std::array<E, N>& meaning) {
    if (value < 0 || value >= static_cast<std::int32_t>(N)) {
        throw InvalidProblem(std::string(field) + " is " + std::to_string(value) + ", must be 0 to " +
                             std::to_string(N - 1));
    }
    return meaning[static_cast<std::size_t>(value)];
}

void set_unless_zero(std::optional<double>& to, double value) {
    if (value != 0) to = value;
}
void set_unless_zero(double& to, double value) {
    if (value != 0) to = value;
}

RopeConfig rope_of(const dca_gpu_problem& p) {
    RopeConfig rope;
    rope.layout =
        choose("rope_layout", p.rope_layout, std::array{RopeLayout::none, RopeLayout::neox, RopeLayout::interleaved});
    rope.scaling = choose("rope_scaling", p.rope_scaling,
                          std::array{RopeScaling::none, RopeScaling::linear, RopeScaling::ntk, RopeScaling::dynamic,
                                     RopeScaling::yarn, RopeScaling::llama3});
    if (p.rotary_dim != 0) rope.rotary_dim = p.rotary_dim;
    set_unless_zero(rope.base, p.rope_base);
    set_unless_zero(rope.factor, p.rope_factor);
    set_unless_zero(rope.original_max_position, p.original_max_position);
    set_unless_zero(rope.beta_fast, p.beta_fast);
    set_unless_zero(rope.beta_slow, p.beta_slow);
    set_unless_zero(rope.low_freq_factor, p.low_freq_factor);
    set_unless_zero(rope.high_freq_factor, p.high_freq_factor);
    set_unless_zero(rope.mscale, p.mscale);
    if (p.present & DCA_GPU_HAS_MSCALE) rope.mscale = p.mscale;
    if (p.inv_freq != nullptr) {
        const std::int64_t rotary_dim = rope.rotary_dim.value_or(p.head_dim);
        if (rotary_dim < 2 || rotary_dim > max_position)
            throw InvalidProblem("inv_freq is given but rotary_dim is " + std::to_string(rotary_dim));
        rope.inv_freq.assign(p.inv_freq, p.inv_freq + rotary_dim / 2);
    }
    return rope;
}

}  // namespace

Problem problem_of(const dca_gpu_problem* given) {
    const dca_gpu_problem p = read_struct("dca_gpu_problem", given, first_problem_size);
    Problem problem;
    problem.shape = {p.batch, p.seq_q, p.seq_k, p.heads_q, p.heads_kv, p.head_dim, p.head_dim_v};
    problem.chunk = {p.chunk_size, p.local_size};
    problem.rope = rope_of(p);
    problem.dtype = choose("dtype", p.dtype, std::array{Dtype::f16, Dtype::bf16, Dtype::f64});
    if (p.present & ~std::uint32_t{DCA_GPU_HAS_QUERY_OFFSET | DCA_GPU_HAS_MSCALE}) {
        throw Unsupported("present names fields that this version of libdca_gpu does not know");
    }
    if (p.softmax_scale != 0) problem.softmax_scale = p.softmax_scale;
    if (p.query_offset != 0 || (p.present & DCA_GPU_HAS_QUERY_OFFSET)) problem.query_offset = p.query_offset;
    if ((p.cu_seqlens == nullptr) != (p.sequences == 0)) {
        throw InvalidProblem("cu_seqlens and sequences must be given together");
    }
    if (p.sequences < 0 || p.sequences > max_position) {
        throw InvalidProblem("sequences is " + std::to_string(p.sequences) + ", must be 0 to 2^31");
    }
    if (p.cu_seqlens != nullptr) problem.cu_seqlens.assign(p.cu_seqlens, p.cu_seqlens + p.sequences + 1);
    return problem;
}

std::uint32_t modes_of(std::uint32_t modes) {
    if (modes > mode_all) throw InvalidProblem("modes is " + std::to_string(modes) + ", must be a sum of 1, 2 and 4");
    return modes == 0 ? mode_all : modes;
}

}  // namespace dca::gpu::host
