// The second truth: exact Dual Chunk Attention as it is defined, one (query, key) pair at a time, in any scalar type
// (Def.6, Def.9, Def.10). Slow on purpose: every visible pair is rotated on its own. Extra memory is one query row's
// view of the keys, seq_k x head_dim, and one angle table per distinct distance. In binary128 the results have a
// relative error of about (seq_k + head_dim) 2^-112.
#pragma once

#include <optional>

#include "reference/oracle/dual.hpp"
#include "reference/oracle/scalar.hpp"
#include "reference/oracle/softmax.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::oracle {

/// Inputs in the scalar type of the computation, shaped as in dca::Inputs. For dual numbers the derivatives are the
/// direction to differentiate along.
template <Scalar S>
struct TypedInputs {
    Tensor<S, 4> q, k, v;
    std::optional<Tensor<S, 4>> dout;
};

/// Shaped as dca::Outputs. A row without keys has out 0 and lse -inf.
template <Scalar S>
struct TypedOutputs {
    Tensor<S, 4> out;
    Tensor<S, 3> lse;
};

/// Shaped as dca::Gradients.
template <Scalar S>
struct TypedGradients {
    Tensor<S, 4> dq, dk, dv;
};

/// Defined for S = double, long double, Quad, Dual<long double>, Dual<Quad>, and of reference/numbers DoubleDouble,
/// Mpfr<256>, Mpfr<512>, Interval<double>, Interval<Mpfr<256>>; for any other Scalar by definition.hpp. An interval
/// encloses the exact value of every element.
template <Scalar S>
[[nodiscard]] TypedInputs<S> convert(const Inputs& inputs);

/// Throws InvalidProblem (validate, or a tensor of the wrong shape) or Unsupported (a dialect other than exact). Same S
/// as convert.
template <Scalar S>
[[nodiscard]] TypedOutputs<S> forward(const Problem& problem, const TypedInputs<S>& inputs);

/// Gradients of <dout, out>. Throws as forward. Precondition: inputs.dout is present.
template <Scalar S>
[[nodiscard]] TypedGradients<S> backward(const Problem& problem, const TypedInputs<S>& inputs,
                                         MergeGradient rule = MergeGradient::exact);

/// The same from double inputs, which must pass validate(problem, inputs).
template <Scalar S>
[[nodiscard]] TypedOutputs<S> forward(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    return forward<S>(problem, convert<S>(inputs));
}

template <Scalar S>
[[nodiscard]] TypedGradients<S> backward(const Problem& problem, const Inputs& inputs,
                                         MergeGradient rule = MergeGradient::exact) {
    validate(problem, inputs);
    return backward<S>(problem, convert<S>(inputs), rule);
}

}  // namespace dca::oracle
