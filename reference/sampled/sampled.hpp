// Attention on a few query rows and every key: out, lse and dq of the rows, dk and dv of all keys for a dout that is 0
// on every other row. O(rows keys head_dim) work; K and V pass by in slices and are never in memory whole
// (docs/sampled.md).
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "reference/spec/bundles.hpp"

namespace dca::reference::sampled {

enum class InputKind : std::uint8_t { q, k, v, dout };

/// Gives the inputs of a problem piece by piece.
class Source {
public:
    virtual ~Source() = default;
    /// Rows [begin, end) of one batch entry, all heads: (end - begin) x heads x dim values as they lie in the tensor.
    /// Called from several threads at once.
    virtual void fill(InputKind kind, std::int64_t batch, std::int64_t begin, std::int64_t end,
                      std::span<double> out) const = 0;
};

/// Takes dk and dv, and their error scales, as they are finished: consecutive rows of the tensors, all heads. Gradients
/// and scales take turns, each in ascending order of keys and batch entries. Called from one thread.
struct KeySink {
    std::function<void(std::span<const double> dk, std::span<const double> dv)> gradients;
    std::function<void(std::span<const float> dk, std::span<const float> dv)> scales;
};

/// Distances that no element of a tensor is farther from its exact value than (docs/sampled.md derives them). Infinite
/// where the logits are too large for the derivation.
struct Radii {
    double out = 0, lse = 0, dq = 0, dk = 0, dv = 0;
};

/// Results of the sampled rows: the tensors have as many rows as there are samples.
struct RowResults {
    Outputs outputs;
    std::optional<Tensor4> dq;
    ErrorScales scales;  ///< of out, lse and dq
    Radii radii;
};

/// What is being done and how much of the whole is done, 0 to 1. Called from one thread; may throw to stop.
using Step = std::function<void(std::string_view what, double done)>;

/// How much is in memory at a time, in doubles: keys and values of a slice, and what its units keep for the rows.
struct Memory {
    std::int64_t keys = std::int64_t{1} << 22, kept = std::int64_t{1} << 24;
};

/// rows: ascending, each once. gradient: dq, dk and dv too; the sink is called for them alone. The result does not
/// depend on the number of threads, nor, but for the last digits of the scales, on `memory`. Throws InvalidProblem
/// (validate; rows out of order or range), Unsupported where the problem is packed, sparse, or of another dialect than
/// exact.
[[nodiscard]] RowResults compute(const Problem& problem, std::span<const std::int64_t> rows, bool gradient,
                                 const Source& source, const KeySink& sink, const Step& step = {},
                                 const Memory& memory = {});

}  // namespace dca::reference::sampled
