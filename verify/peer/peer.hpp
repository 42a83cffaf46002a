// An honest candidate: Dual Chunk Attention as a flash kernel computes it, forward and backward, rounding where one
// rounds (docs/error_model.md section 7). It shares no position, mask, table or softmax code with what it is judged by.
#pragma once

#include <optional>

#include "reference/spec/bundles.hpp"
#include "verify/peer/method.hpp"

namespace dca::peer {

/// The number formats a peer works in, and what it rounds.
struct PeerTypes {
    Dtype input;        ///< of q, k, v, dout; q~ and k~ are rotated in a wider type and rounded to it once
    Dtype p;            ///< P and dS before the second products; 8-bit ones are scaled by a power of two first
    Dtype accumulator;  ///< of the matrix products; f16 and bf16: every partial sum is rounded
    Dtype output;       ///< of out, dq, dk, dv; D = dout . out reads the rounded out
    bool float32_angles = false;  ///< inverse frequency and angle rounded to float32; false: tables made in double
};

/// As the problem says.
[[nodiscard]] PeerTypes types_of(const Problem& problem);

struct PeerResult {
    Outputs outputs;                     ///< lse in float32, or float64 where the accumulator is
    std::optional<Gradients> gradients;  ///< where inputs.dout is present
};

/// One sweep over tiles of 64 keys with a running maximum for every row; the backward pass recomputes the logits and
/// reads the written lse. Plain loops on one thread: for some thousand tokens. The inputs must be representable in
/// types.input. Throws InvalidProblem, and Unsupported for a dialect other than exact and for a sparse prefill.
[[nodiscard]] PeerResult run_peer(const Problem& problem, const Inputs& inputs, const PeerTypes& types);
[[nodiscard]] inline PeerResult run_peer(const Problem& problem, const Inputs& inputs) {
    return run_peer(problem, inputs, types_of(problem));
}

/// The same with another method (method.hpp): an honest kernel of another style, or a wrong one. selection: only these
/// rows are computed, all others hold NaN; mistakes of storage are then made to what is there. right: out and lse of
/// the right forward pass, which is then not computed: for methods that leave the forward pass as it is.
[[nodiscard]] PeerResult run_peer(const Problem& problem, const Inputs& inputs, const PeerTypes& types,
                                  const Method& method, const Selection* selection = nullptr,
                                  const Outputs* right = nullptr);

}  // namespace dca::peer
