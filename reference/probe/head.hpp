// What the passes over one query head of a probe share.
#pragma once

#include "reference/merge_rule.hpp"
#include "reference/probe/far_keys.hpp"
#include "reference/probe/panel.hpp"
#include "reference/probe/probe.hpp"

namespace dca::reference::probe {

/// What p and ds of a row are formed from; weights w are relative to the shift of their class.
struct RowFact {
    double lse = 0;
    PerMode scale{};        ///< p = scale w with the softmax over all keys
    PerMode merged_scale{};  ///< p = merged_scale w as the dialect merges its parts; equal to scale where it rounds nothing
    PerMode delta{};        ///< dout . out, or dout . out of the mode's part where the merge is detached
    double true_delta = 0;  ///< dout . out
    double lse_variance = 0, delta_variance = 0;
};

/// One query head of one sequence.
struct Head {
    Head(const SequenceContext& context, const ProbeInputs& inputs, std::int64_t query_head);

    const SequenceContext& context;
    const ProbeInputs& inputs;
    std::int64_t head, kv_head;
    Geometry geometry;
    Panels panels;
    FarKeys far;
    Merge merge;
    bool detached;
    std::vector<RowFact> facts;  ///< of rows first_index, first_index + 1, ...

    [[nodiscard]] RowFact& fact(std::int64_t index) { return facts[static_cast<std::size_t>(index - geometry.first_index)]; }
    [[nodiscard]] const RowFact& fact(std::int64_t index) const {
        return facts[static_cast<std::size_t>(index - geometry.first_index)];
    }
    /// Row of the query axis that holds absolute index i.
    [[nodiscard]] std::int64_t row(std::int64_t index) const {
        return context.sequence.query_begin + index - context.sequence.offset;
    }
    [[nodiscard]] noise::Rows values(std::int64_t chunk) const {
        return values_at(chunk * geometry.chunk_len, geometry.keys_in(chunk));
    }
    [[nodiscard]] noise::Rows values_at(std::int64_t key, int count) const;
    /// Rows index ... index + count - 1 of dout.
    [[nodiscard]] noise::Rows dout(std::int64_t index, int count) const;
};

}  // namespace dca::reference::probe
