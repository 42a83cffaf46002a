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
    PerMode scale{};  ///< p = scale w with the softmax over all keys
    PerMode
        merged_scale{};  ///< p = merged_scale w as the dialect merges its parts; equal to scale where it rounds nothing
    PerMode delta{};     ///< dout . out, or dout . out of the mode's part where the merge is detached
    double true_delta = 0;  ///< dout . out
    double lse_variance = 0, delta_variance = 0;
};

/// The gradient the dialect computes, or that of a plain softmax over all keys.
enum class GradientOf : std::uint8_t { dialect, plain_softmax };
struct RowScale {
    double scale, delta;
};
[[nodiscard]] inline RowScale row_scale(const RowFact& row, Mode mode, GradientOf which) {
    const auto m = static_cast<std::size_t>(mode);
    return which == GradientOf::dialect ? RowScale{row.merged_scale[m], row.delta[m]}
                                        : RowScale{row.scale[m], row.true_delta};
}

/// Merge weights of one mode made the other way where they are near a tie (noise/tie_noise.hpp).
struct TieFlip {
    Mode mode;
    const Tensor<float, 3>& sigma_lse;
};

/// One query head of one sequence.
struct Head {
    /// flip: null for the dialect's own weights.
    Head(const SequenceContext& context, const ProbeInputs& inputs, std::int64_t query_head, const TieFlip* flip);

    const SequenceContext& context;
    const ProbeInputs& inputs;
    std::int64_t head, kv_head;
    Geometry geometry;
    Panels panels;
    FarKeys far;
    Merge merge;
    bool detached;
    const TieFlip* flip;
    std::vector<RowFact> facts;  ///< of rows first_index, first_index + 1, ...

    [[nodiscard]] RowFact& fact(std::int64_t index) {
        return facts[static_cast<std::size_t>(index - geometry.first_index)];
    }
    [[nodiscard]] const RowFact& fact(std::int64_t index) const {
        return facts[static_cast<std::size_t>(index - geometry.first_index)];
    }
    /// Whether the dialect's backward differs from the one of a plain softmax, which the error model speaks of.
    [[nodiscard]] bool own_gradient() const { return detached || merge.rounds_weights(); }
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
