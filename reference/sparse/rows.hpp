// The rotated queries and keys of one sequence: real ones for the attention, critical ones for the selection (V.3).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/math/rotations.hpp"
#include "reference/sparse/config.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::sparse {

/// Position a query is rotated by when it votes on keys of the given mode: i mod L, i mod L + L, C + i mod L. Unlike
/// the real positions these are not clamped (H58). Precondition: i >= 0.
[[nodiscard]] RotaryPosition critical_position(const ChunkConfig& chunk, QueryIndex i, Mode mode);

enum class QueryKind : std::uint8_t { real, critical };

/// One sequence of a problem, rotated as its dialect does it. Problem and inputs must outlive it.
class SequenceRows {
public:
    SequenceRows(const Problem& problem, const Inputs& inputs, const reference::Sequence& sequence);

    /// tau x rotated query of a row: head_dim values.
    void query(std::int64_t row, std::int64_t head, Mode mode, QueryKind kind, double* out) const;
    /// The rotated key of every key that a query of the sequence sees: keys() x head_dim values.
    [[nodiscard]] std::vector<double> rotated_keys(std::int64_t kv_head) const;
    [[nodiscard]] const double* value(std::int64_t key, std::int64_t kv_head) const;

    /// Keys up to the last query.
    [[nodiscard]] std::int64_t keys() const { return keys_; }
    [[nodiscard]] const reference::Sequence& sequence() const { return sequence_; }
    [[nodiscard]] const Problem& problem() const { return problem_; }
    [[nodiscard]] std::int64_t kv_head(std::int64_t head) const {
        return head / (problem_.shape.heads_q / problem_.shape.heads_kv);
    }

private:
    const Problem& problem_;
    const Inputs& inputs_;
    reference::Sequence sequence_;
    std::int64_t keys_;
    reference::Rotations rotations_;
    double softmax_scale_;
};

}  // namespace dca::sparse
