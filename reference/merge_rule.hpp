// How a dialect turns the three modes into one row (docs/dialects.md): one softmax, or parts merged by weights that the
// published code rounds.
#pragma once

#include <array>

#include "reference/forward.hpp"
#include "reference/math/rotations.hpp"
#include "reference/spec/dialect.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// One value per mode, in the order of all_modes.
using PerMode = std::array<double, 3>;

/// The merge rule of the problem's dialect, phase and path.
[[nodiscard]] const MergeRule& merge_rule(const Problem& problem);

class Merge {
public:
    explicit Merge(const Problem& problem);

    /// False: one running softmax over all modes.
    [[nodiscard]] bool parts() const { return rule_.parts; }
    /// True where the weights are not exp(lse_m - lse): p then depends on the mode's own lse and weight.
    [[nodiscard]] bool rounds_weights() const;
    /// True where lse or weights are kept in f16 or bf16, so that an honest candidate may be a visible step away.
    [[nodiscard]] bool rounds_to_16_bits() const;
    /// The weights of parts with these lse, -inf where a mode has no key; a single part has weight 1.
    [[nodiscard]] PerMode weights(const PerMode& lse) const;
    /// The same with the rounded numbers of one mode on the other side of a tie they are near to: what an honest
    /// candidate may get whose lse is off by up to `width`.
    [[nodiscard]] PerMode weights_across(const PerMode& lse, Mode mode, double width) const;
    /// out += what the channels of a part contribute, rounded as published; only for rows of several parts. Changes
    /// `part`.
    void add_products(double weight, double* part, int channels, double* out) const;

private:
    struct Tie {
        std::size_t mode;
        double width;
    };
    [[nodiscard]] PerMode weights(const PerMode& lse, const Tie* tie) const;
    [[nodiscard]] double rounded(Rounding rounding, double x) const;
    [[nodiscard]] double rounded_across(Rounding rounding, double x, double width) const;
    [[nodiscard]] Dtype dtype_of(Rounding rounding) const;

    MergeRule rule_;
    Dtype activation_dtype_;
    ActivationRounding activation_;
};

/// One weight of every row and mode: (batch, heads_q, seq_q) each, in the order of all_modes.
using MergeWeights = std::array<Tensor3, 3>;
[[nodiscard]] MergeWeights merge_weights(const Merge& merge, const Parts& parts);

/// The gradient rule of the problem's dialect and phase.
[[nodiscard]] GradientRule gradient_rule(const Problem& problem);

}  // namespace dca::reference
