// Arguments of the calls of the C interface, checked and turned into what launches take. Needs no CUDA.
#pragma once

#include "gpu/api/dca_gpu.h"
#include "gpu/host/c_problem.hpp"
#include "gpu/host/launch_params.hpp"

namespace dca::gpu::host {

/// Throws InvalidProblem naming the argument that is missing, too small or in the wrong place. forward: whether q, out
/// and lse are used, too.
void check_arguments(const Problem& problem, const Plan& plan, std::uint64_t workspace_bytes,
                     const dca_gpu_forward_args& args, bool forward);
void check_merge(const dca_gpu_merge_args& args);

/// Throws InvalidProblem for a number that names no dtype of merge.
[[nodiscard]] Dtype merge_dtype(std::int32_t dtype);

[[nodiscard]] inline Strides strides_or(const dca_gpu_strides& given, const Strides& dense) {
    const bool zero = given.batch == 0 && given.row == 0 && given.head == 0;
    return zero ? dense : Strides{given.batch, given.row, given.head};
}

/// Without the addresses of tables and workspace.
template <class Element, class Real>
[[nodiscard]] Call<Element, Real> call_of(const Shape& shape, const dca_gpu_forward_args& args) {
    Call<Element, Real> call;
    set_dense(call, shape);
    call.q = static_cast<const Element*>(args.q);
    call.k = static_cast<const Element*>(args.k);
    call.v = static_cast<const Element*>(args.v);
    call.out = static_cast<Element*>(args.out);
    call.lse = static_cast<Real*>(args.lse);
    call.q_stride = strides_or(args.q_stride, call.q_stride);
    call.k_stride = strides_or(args.k_stride, call.k_stride);
    call.v_stride = strides_or(args.v_stride, call.v_stride);
    call.out_stride = strides_or(args.out_stride, call.out_stride);
    if (args.lse_batch != 0 || args.lse_head != 0) {
        call.lse_batch = args.lse_batch;
        call.lse_head = args.lse_head;
    }
    return call;
}

template <class Element, class Real>
[[nodiscard]] MergeParams<Element, Real> merge_params(const dca_gpu_merge_args& args) {
    const std::int64_t rows = args.batch * args.seq_q * args.heads_q;
    MergeParams<Element, Real> p{};
    for (int m = 0; m < args.parts; ++m) {
        p.out_part[m] = {static_cast<const Element*>(args.out_part[m]), rows * args.head_dim_v};
        p.lse_part[m] = {static_cast<const Real*>(args.lse_part[m]), rows};
    }
    p.out = {static_cast<Element*>(args.out), rows * args.head_dim_v};
    p.lse = {static_cast<Real*>(args.lse), rows};
    p.batch = args.batch;
    p.seq_q = args.seq_q;
    p.parts = args.parts;
    p.heads = static_cast<std::int32_t>(args.heads_q);
    p.head_dim_v = static_cast<std::int32_t>(args.head_dim_v);
    return p;
}

}  // namespace dca::gpu::host
