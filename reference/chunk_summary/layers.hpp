// The layers around the attention (docs/chunk_summary.md, S.7 to S.9): dense, layer normalisation, GELU. Rows are
// tokens.
#pragma once

#include "reference/chunk_summary/rounding.hpp"

namespace dca::chunk_summary {

/// x w + b; b is one row.
[[nodiscard]] Matrix dense(const ConstMatrixRef& x, const ConstMatrixRef& w, const ConstMatrixRef& b,
                           Rounding& rounding);

struct DenseGradients {
    Matrix dx, dw, db;
};
[[nodiscard]] DenseGradients dense_backward(const ConstMatrixRef& x, const ConstMatrixRef& w, const ConstMatrixRef& dy,
                                            Rounding& rounding);

/// S.7: every row centred, divided by its deviation, scaled and shifted.
[[nodiscard]] Matrix layer_norm(const ConstMatrixRef& x, const ConstMatrixRef& scale, const ConstMatrixRef& shift,
                                Rounding& rounding);

struct NormGradients {
    Matrix dx, dscale, dshift;
};
[[nodiscard]] NormGradients layer_norm_backward(const ConstMatrixRef& x, const ConstMatrixRef& scale,
                                                const ConstMatrixRef& dy, Rounding& rounding);

/// S.8, element by element.
[[nodiscard]] Matrix gelu(const ConstMatrixRef& x, Rounding& rounding);
[[nodiscard]] Matrix gelu_backward(const ConstMatrixRef& x, const ConstMatrixRef& dy, Rounding& rounding);

/// a + b, rounded once.
[[nodiscard]] Matrix plus(const ConstMatrixRef& a, const ConstMatrixRef& b, Rounding& rounding);

}  // namespace dca::chunk_summary
