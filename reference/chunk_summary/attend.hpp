// One causal softmax attention over the rows of one head, as the source writes it (docs/chunk_summary.md, S.3): masked
// scores are set to -1e9, the row maximum is subtracted, 1e-8 is added to the denominator. It serves the tokens of one
// chunk and the summaries of all chunks alike.
#pragma once

#include "reference/chunk_summary/rounding.hpp"

namespace dca::chunk_summary {

/// Rows of q, k and v belong together; scores are q k^T / sqrt(columns). Memory: 64 rows of scores at a time.
[[nodiscard]] Matrix attend(const ConstMatrixRef& q, const ConstMatrixRef& k, const ConstMatrixRef& v,
                            Rounding& rounding);

struct AttendGradients {
    Matrix dq, dk, dv;
};
/// Gradients of <dout, attend(q, k, v)>, the maximum and the 1e-8 included (S.6): tied maxima share theirs.
[[nodiscard]] AttendGradients attend_backward(const ConstMatrixRef& q, const ConstMatrixRef& k, const ConstMatrixRef& v,
                                              const ConstMatrixRef& dout, Rounding& rounding);

}  // namespace dca::chunk_summary
