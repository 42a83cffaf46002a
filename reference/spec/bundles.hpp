// The tensors that travel together. Packed problems use batch 1 and seq = total tokens.
#pragma once

#include <optional>
#include <vector>

#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"
#include "reference/spec/tensor.hpp"

namespace dca {

/// (batch, seq, heads, dim)
using Tensor4 = Tensor<double, 4>;
/// (batch, heads, seq)
using Tensor3 = Tensor<double, 3>;

/// What goes in; every value is exactly representable in Problem::dtype. dout present = gradients are wanted.
struct Inputs {
    Tensor4 q, k, v;
    std::optional<Tensor4> dout;
    friend bool operator==(const Inputs&, const Inputs&) = default;
};

/// out: (batch, seq_q, heads_q, head_dim_v). lse: (batch, heads_q, seq_q), natural log, includes softmax_scale.
/// A row without keys has out 0 and lse -inf.
struct Outputs {
    Tensor4 out;
    Tensor3 lse;
};

/// Gradients of <dout, out> with respect to q, k, v; shaped like them.
struct Gradients {
    Tensor4 dq, dk, dv;
};

/// Expected rounding error (one standard deviation) of an honest candidate working in Problem::dtype, per element
/// (docs/error_model.md). Shaped like the tensors they belong to.
struct ErrorScales {
    Tensor<float, 4> out;
    Tensor<float, 3> lse;
    std::optional<Tensor<float, 4>> dq, dk, dv;
};

/// Which modes touch each row of one sequence axis: query has seq_q entries, key has seq_k (packed: tokens).
struct RowRegions {
    std::vector<Region> query, key;
    friend bool operator==(const RowRegions&, const RowRegions&) = default;
};

[[nodiscard]] inline Extents<4> q_extents(const Shape& s) {
    return {s.batch, s.seq_q, s.heads_q, s.head_dim};
}
[[nodiscard]] inline Extents<4> k_extents(const Shape& s) {
    return {s.batch, s.seq_k, s.heads_kv, s.head_dim};
}
[[nodiscard]] inline Extents<4> v_extents(const Shape& s) {
    return {s.batch, s.seq_k, s.heads_kv, s.head_dim_v};
}
[[nodiscard]] inline Extents<4> out_extents(const Shape& s) {
    return {s.batch, s.seq_q, s.heads_q, s.head_dim_v};
}
[[nodiscard]] inline Extents<3> lse_extents(const Shape& s) {
    return {s.batch, s.heads_q, s.seq_q};
}

/// Throws InvalidProblem unless every tensor has the extents of the shape and only finite values.
void validate(const Problem& problem, const Inputs& inputs);

}  // namespace dca
