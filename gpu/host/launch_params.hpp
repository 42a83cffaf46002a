// From a plan and addresses to launches: which grid, how much shared memory, which parameters. One text for the GPU
// launcher and for the emulated machine, so that what tests run is what a GPU is given.
#pragma once

#include <cstdint>

#include "gpu/api/kernel_params.hpp"
#include "gpu/api/merge_config.hpp"
#include "gpu/api/tile_config.hpp"
#include "gpu/host/plan.hpp"

namespace dca::gpu::host {

/// Blocks along x, y, z; threads of one; bytes of dynamic shared memory.
struct Launch {
    std::int64_t x = 0, y = 0, z = 0;
    int threads = 0;
    std::uint32_t shared_bytes = 0;
};

/// Rows of (batch, row, head, channel), dense.
[[nodiscard]] constexpr Strides dense(std::int64_t rows, std::int64_t heads, std::int64_t channels) {
    return {rows * heads * channels, heads * channels, channels};
}

/// Elements from the first to the last of a (batch, row, head, channel) tensor with non-negative strides.
[[nodiscard]] constexpr std::int64_t extent(const Strides& s, std::int64_t batch, std::int64_t rows, std::int64_t heads,
                                            std::int64_t channels) {
    return (batch - 1) * s.batch + (rows - 1) * s.row + (heads - 1) * s.head + channels;
}

/// Elements of the buffer of k rotated, and of that of v copied, each (batch, seq_k, heads_kv, padded head_dim) dense.
[[nodiscard]] inline std::int64_t padded_elements(const Shape& shape, const Plan& plan) {
    return shape.batch * shape.seq_k * shape.heads_kv * plan.shape.head_dim;
}

/// The addresses of one call, as the machine that runs it sees them. Element: std::uint16_t bits with Real float, or
/// double with double.
template <class Element, class Real>
struct Call {
    const Element *q = nullptr, *k = nullptr, *v = nullptr;
    Element* out = nullptr;
    Real* lse = nullptr;
    Strides q_stride, k_stride, v_stride, out_stride;
    std::int64_t lse_batch = 0, lse_head = 0;
    Element* k_rotated = nullptr;  ///< padded_elements()
    Element* v_copy = nullptr;     ///< padded_elements(); only where plan.copy_v
    const Real* angles = nullptr;  ///< plan.angles, rounded to Real
    const QueryTile* query_tiles = nullptr;
    const KeyTile* key_tiles = nullptr;
};

/// Strides of dense tensors.
template <class Element, class Real>
void set_dense(Call<Element, Real>& call, const Shape& s) {
    call.q_stride = dense(s.seq_q, s.heads_q, s.head_dim);
    call.k_stride = dense(s.seq_k, s.heads_kv, s.head_dim);
    call.v_stride = dense(s.seq_k, s.heads_kv, s.head_dim_v);
    call.out_stride = dense(s.seq_q, s.heads_q, s.head_dim_v);
    call.lse_batch = s.heads_q * s.seq_q;
    call.lse_head = s.seq_q;
}

[[nodiscard]] inline Pairing pairing(RopeLayout layout) {
    switch (layout) {
        case RopeLayout::none: return Pairing::none;
        case RopeLayout::neox: return Pairing::neox;
        case RopeLayout::interleaved: return Pairing::interleaved;
    }
    return Pairing::none;
}

/// The pre-pass over k, and over v where plan.copy_v: rotate_params() and copy_params() share this launch.
[[nodiscard]] inline Launch rotate_launch(const Problem& problem, const Plan& plan) {
    const Shape& s = problem.shape;
    return {static_cast<std::int64_t>(plan.key_tiles.size()), s.heads_kv, s.batch, rotate_threads, 0};
}

template <class Element, class Real>
[[nodiscard]] RotateParams<Element, Real> rotate_params(const Problem& problem, const Plan& plan,
                                                        const Call<Element, Real>& call) {
    const Shape& s = problem.shape;
    RotateParams<Element, Real> p{};
    p.in = {call.k, extent(call.k_stride, s.batch, s.seq_k, s.heads_kv, s.head_dim)};
    p.out = {call.k_rotated, padded_elements(s, plan)};
    p.angles = {call.angles, static_cast<std::int64_t>(plan.angles.size())};
    p.tiles = {call.key_tiles, static_cast<std::int64_t>(plan.key_tiles.size())};
    p.stride = call.k_stride;
    p.rows = s.seq_k;
    p.heads = static_cast<std::int32_t>(s.heads_kv);
    p.head_dim = static_cast<std::int32_t>(s.head_dim);
    p.padded = plan.shape.head_dim;
    p.rotary_dim = static_cast<std::int32_t>(problem.resolved_rotary_dim());
    p.pairing = pairing(problem.rope.layout);
    return p;
}

template <class Element, class Real>
[[nodiscard]] RotateParams<Element, Real> copy_params(const Problem& problem, const Plan& plan,
                                                      const Call<Element, Real>& call) {
    const Shape& s = problem.shape;
    RotateParams<Element, Real> p = rotate_params(problem, plan, call);
    p.in = {call.v, extent(call.v_stride, s.batch, s.seq_k, s.heads_kv, s.head_dim_v)};
    p.out = {call.v_copy, padded_elements(s, plan)};
    p.stride = call.v_stride;
    p.head_dim = static_cast<std::int32_t>(s.head_dim_v);
    p.rotary_dim = 0;
    p.pairing = Pairing::none;
    return p;
}

[[nodiscard]] inline Launch forward_launch(const Problem& problem, const Plan& plan) {
    const Shape& s = problem.shape;
    return {s.heads_q, static_cast<std::int64_t>(plan.query_tiles.size()), s.batch, plan.shape.threads,
            static_cast<std::uint32_t>(plan.shape.shared_bytes)};
}

/// modes: mode_all, or those of one call of three.
template <class Element, class Real>
[[nodiscard]] ForwardParams<Element, Real> forward_params(const Problem& problem, const Plan& plan,
                                                          const Call<Element, Real>& call, std::uint32_t modes) {
    const Shape& s = problem.shape;
    const std::int64_t padded = padded_elements(s, plan);
    ForwardParams<Element, Real> p{};
    p.q = {call.q, extent(call.q_stride, s.batch, s.seq_q, s.heads_q, s.head_dim)};
    p.k = {call.k_rotated, padded};
    p.v = {call.v, extent(call.v_stride, s.batch, s.seq_k, s.heads_kv, s.head_dim_v)};
    p.v_stride = call.v_stride;
    if (plan.copy_v) {
        p.v = {call.v_copy, padded};
        p.v_stride = dense(s.seq_k, s.heads_kv, plan.shape.head_dim);
    }
    p.out = {call.out, extent(call.out_stride, s.batch, s.seq_q, s.heads_q, s.head_dim_v)};
    p.lse = {call.lse, (s.batch - 1) * call.lse_batch + (s.heads_q - 1) * call.lse_head + s.seq_q};
    p.angles = {call.angles, static_cast<std::int64_t>(plan.angles.size())};
    p.tiles = {call.query_tiles, static_cast<std::int64_t>(plan.query_tiles.size())};
    p.q_stride = call.q_stride;
    p.k_stride = dense(s.seq_k, s.heads_kv, plan.shape.head_dim);
    p.out_stride = call.out_stride;
    p.lse_batch = call.lse_batch;
    p.lse_head = call.lse_head;
    p.group = static_cast<std::int32_t>(s.heads_q / s.heads_kv);
    p.head_dim = static_cast<std::int32_t>(s.head_dim);
    p.head_dim_v = static_cast<std::int32_t>(s.head_dim_v);
    p.rotary_dim = static_cast<std::int32_t>(problem.resolved_rotary_dim());
    p.pairing = pairing(problem.rope.layout);
    const double log2 = sizeof(Real) == sizeof(float) ? log2_e : 1.0;
    p.scale = static_cast<Real>(plan.scale.scale * log2);
    p.sign = static_cast<Real>(plan.scale.sign);
    p.modes = modes;
    return p;
}

/// element_bytes: of out. Heads and batch entries are blocks along y and z.
[[nodiscard]] inline Launch merge_launch(std::int64_t batch, std::int64_t seq_q, std::int64_t heads, int head_dim_v,
                                         int element_bytes) {
    return {merge_blocks(seq_q, head_dim_v, element_bytes), heads, batch, merge_threads, 0};
}

}  // namespace dca::gpu::host
