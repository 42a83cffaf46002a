// The attention layer with its projections (docs/chunk_summary.md, S.1 to S.6). Rows of x are the tokens of all
// batches.
#pragma once

#include "reference/chunk_summary/parameters.hpp"

namespace dca::chunk_summary {

[[nodiscard]] Matrix attention(const Problem& problem, const Bundle<double>& parameters, std::int64_t layer,
                               const ConstMatrixRef& x, Rounding& rounding);

/// Gradients of <dy, attention(x)>: returns that of x and puts those of the parameters into `gradients`.
[[nodiscard]] Matrix attention_backward(const Problem& problem, const Bundle<double>& parameters, std::int64_t layer,
                                        const ConstMatrixRef& x, const ConstMatrixRef& dy, Bundle<double>& gradients,
                                        Rounding& rounding);

}  // namespace dca::chunk_summary
