// One pass over all visible pairs for dq, dk and dv (Def.9).
#pragma once

#include <vector>

#include "reference/spec/bundles.hpp"
#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// What p and ds of a row are formed from, (batch, heads_q, seq_q) each: p = weight exp(s - lse), ds = p (dp - delta).
/// One tensor where all modes share it, else one per mode.
struct RowFacts {
    std::vector<Tensor3> lse, weight, delta;  ///< weight: empty where it is 1
    [[nodiscard]] static double at(const std::vector<Tensor3>& facts, Mode mode, std::int64_t b, std::int64_t head,
                                   std::int64_t row) {
        return facts[facts.size() > 1 ? static_cast<std::size_t>(mode) : 0](b, head, row);
    }
};

/// The gradients; memory O(n d), the same bits for every number of threads. Precondition: problem and inputs are
/// computable (operands.hpp), inputs.dout is present.
[[nodiscard]] Gradients gradient_pass(const Problem& problem, const Inputs& inputs, const RowFacts& facts);

}  // namespace dca::reference
