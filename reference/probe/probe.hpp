// Position probes: every query row of a head holds one vector, every key row of a kv head another. Logits then depend
// on positions alone, and exact results for every row cost O(n L d) instead of O(n^2 d) (docs/probe.md).
#pragma once

#include <functional>
#include <optional>

#include "reference/spec/bundles.hpp"

namespace dca::reference::probe {

using Tensor2 = Tensor<double, 2>;

struct ProbeInputs {
    Tensor2 q;  ///< (heads_q, head_dim): every row of the head
    Tensor2 k;  ///< (heads_kv, head_dim)
    Tensor4 v;
    std::optional<Tensor4> dout;
};

/// What is computed, and kept in memory.
struct Wanted {
    bool out = true, lse = true, dq = true, dk = true, dv = true;
    bool scales = true;  ///< the expected rounding errors of these tensors too
    [[nodiscard]] bool gradients() const { return dq || dk || dv; }
};

/// A bound of |computed - exact| for every element of a tensor (docs/probe.md, "How far from the truth"); infinite
/// where nothing can be said. Proven where the dialect rounds nothing on the way.
struct ErrorRadii {
    double out, lse, dq, dk, dv;
    bool proven;
};
[[nodiscard]] ErrorRadii error_radii(const Problem& problem, const ProbeInputs& inputs, double largest_key_sum);

/// Only what was wanted is set.
struct ProbeResults {
    std::optional<Tensor4> out;
    std::optional<Tensor3> lse;
    std::optional<Tensor4> dq, dk, dv;
    std::optional<Tensor<float, 4>> sigma_out;
    std::optional<Tensor<float, 3>> sigma_lse;
    std::optional<Tensor<float, 4>> sigma_dq, sigma_dk, sigma_dv;
    double largest_key_sum = 0;  ///< of sum_i p_ij over the keys; with dk or dv
};

/// Told of results while others are still computed: rows [0, end) of a batch entry and all entries before it are final
/// and stay where they are. One call at a time, from any thread; ends never fall. The last calls say that all is final.
struct Watch {
    std::function<void(const ProbeResults&, std::int64_t batch, std::int64_t end)> queries, keys;
};

/// Throws InvalidProblem (validate) or Unsupported: what forward and backward cannot do either, a sparse prefill, and
/// dialects whose length factor differs between the rows or between the keys of a sequence.
void require_probe(const Problem& problem, bool gradients);

/// forward and backward of the problem's dialect, and the error scales of docs/error_model.md, for these inputs. The
/// scales are at least those of error_scales and a few percent larger at most (docs/probe.md). Memory O(n (d + d^2 /
/// L)). Bitwise the same for any thread count. Precondition: wanted gradients need inputs.dout.
[[nodiscard]] ProbeResults probe(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted);

/// The same into `results`, whose tensors stay where they are once they exist: who watches may go on reading them even
/// when this throws.
void probe(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted, const Watch& watch,
           ProbeResults& results);

}  // namespace dca::reference::probe
