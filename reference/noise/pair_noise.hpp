// Logits, probabilities and their rounding errors for a tile of (query, key) pairs: what every term of the error model
// is summed from (docs/error_model.md section 3). Tiles as in forward: memory does not grow with the sequence.
#pragma once

#include <vector>

#include "reference/error_scale.hpp"
#include "reference/noise/matrix.hpp"
#include "reference/noise/pair_energy.hpp"
#include "reference/noise/precision.hpp"
#include "reference/operands.hpp"

namespace dca::reference::noise {

/// Variance of the error of a rotary angle, in units of (inverse frequency)^2 position^2: its two sources apart.
struct AngleVariance {
    double frequency;  ///< of the inverse frequency: common to all positions
    double product;    ///< of position times inverse frequency
    [[nodiscard]] double sum() const { return frequency + product; }
};

/// One sequence of one error_scales call.
struct Call {
    /// attended: empty where every visible pair is attended.
    Call(const SequenceContext& context, const Outputs& outputs, const AttendedKeys& attended,
         const KernelProfile& profile);

    const SequenceContext& context;
    const Outputs& outputs;
    const AttendedKeys& attended;
    KernelProfile profile;
    Precision precision;
    PairEnergy energy;
    std::vector<double> frequency;               ///< of each rotary pair
    std::vector<AngleVariance> angle;            ///< likewise
    double mscale_squared, temperature_squared;  ///< the latter of the largest factor of the sequence
    /// Variance of a relative error common to all logits: pairs that hardly turn have cos = mscale, rounded the same
    /// way in q~ and k~ of every row. 0 where mscale is 1. In expectations: the rounding of the softmax scale.
    double common_logit_variance;
    double logit_roundings;  ///< in units of statistics_variance, relative to s^2: tau S and its like
    double sum_ratio;        ///< accumulator_variance / statistics_variance

    /// What rotating back multiplies the square of a channel by; column as in PairEnergy.
    [[nodiscard]] double back_squared(int column) const {
        const bool rotary = column < energy.pairs();
        const bool tables = context.rotations.temperature().place() == TemperaturePlace::tables;
        return (rotary ? mscale_squared : 1) * (rotary || !tables ? temperature_squared : 1);
    }
    [[nodiscard]] bool wants_gradients() const { return context.inputs.dout.has_value(); }
    [[nodiscard]] bool expectation() const { return profile.expectation; }
    /// Expectations: variance of the rounding of each element of a rotated row, made from the given one. One turned by
    /// less than its own rounding stays where it was, off by the turn itself.
    void measure_rounding(const double* given, const double* rotated, double* variance) const;
    /// Variances of one rounding relative to the square of the value: u^2 / 3.
    [[nodiscard]] double statistics_variance() const { return precision.statistics * precision.statistics / 3; }
    [[nodiscard]] double accumulator_variance() const { return precision.accumulator * precision.accumulator / 3; }
    [[nodiscard]] double operand_variance() const { return precision.operand * precision.operand / 3; }
    [[nodiscard]] double output_variance() const { return precision.output * precision.output / 3; }
    /// Absolute variance of `terms` additions to subnormal partial sums.
    [[nodiscard]] double sum_floor_variance(double terms) const {
        return terms * (precision.sum_floor * precision.sum_floor);
    }
    [[nodiscard]] double output_floor_variance() const { return precision.output_floor * precision.output_floor; }
};

/// Variance of the partial sums of n terms, in units of that of one rounding: bridge times the sum of the squares of
/// the terms + drift times the square of the sum.
struct SumDepth {
    double bridge, drift;
};
/// exact_terms: the terms themselves are not rounded. A family counts them elsewhere.
[[nodiscard]] SumDepth sum_depth(const KernelProfile& profile, double terms, bool exact_terms);

/// Variance, in units of one rounding's, of a sum of `terms` products that ends at `value`; norms is the product of the
/// two squared norms. The partial sums walk from 0 to value.
[[nodiscard]] double sum_variance(const KernelProfile& profile, double norms, double value, int terms,
                                  bool exact_products);
/// Whether the product of two numbers of these formats is one of the accumulator's.
[[nodiscard]] bool exact_product(Dtype a, Dtype b, Dtype accumulator);

/// Variance of the error of a rotary angle of this inverse frequency, in units of (frequency * position)^2.
[[nodiscard]] AngleVariance angle_variance(const Call& call, double frequency);

/// Variance of the relative error of p where its logit's error has this variance: p is multiplied by e^x, whose upper
/// tail is heavier than a normal one. Such that 6 standard deviations of the result cover 4.5 of the logit.
[[nodiscard]] double exponential_variance(double variance);

/// The part of a query tile of one head that is the same in every mode.
struct QueryFacts {
    QueryFacts(const Call& call, const QueryTile& tile, std::int64_t head);

    QueryTile tile;
    std::int64_t head;
    Rows out, dout;  ///< rows x head_dim_v; dout without data where no gradients are wanted
    /// Expectations only, else empty: the largest logit of each row up to each of the kernel's key tiles.
    Matrix running_maximum;
    [[nodiscard]] double maximum_before_exp(int r, std::int64_t key, int tile_keys) const {
        return running_maximum.row(r)[key / tile_keys];
    }
    std::vector<double> lse, visible_keys, out_norm, dout_norm, delta;  ///< norms are squared; delta = dout . out

    [[nodiscard]] int rows() const { return tile.rows(); }
    /// Flags of the attended keys, rows x keys of the sequence; empty where every visible key is attended. Then
    /// visible_keys counts the attended ones, and lse is 0 where there are none.
    std::vector<std::uint8_t> attended;
    std::int64_t key_count;

    [[nodiscard]] bool attends(int r, std::int64_t key) const {
        return attended.empty() || attended[static_cast<std::size_t>(r * key_count + key)] != 0;
    }
    /// How many of the keys first, first + 1, ... (at most count) row r sees.
    [[nodiscard]] int visible(int r, std::int64_t first, int count) const;
};

/// A query tile as it meets the keys of one mode.
struct QueryRows {
    QueryRows(const Call& call, const QueryFacts& facts, Mode mode);

    Mode mode;
    std::vector<double> position;
    Matrix rotated, energy, feature;
    Matrix turned;  ///< position^2 times the energy of each rotary pair
    /// Expectations only: variance of the rounding of each element, and its mean over each pair; coefficients of the
    /// squares of a key in the part of the logit variance that is the query's.
    Matrix rounded, rounded_energy, own;
};

/// Keys first ... first + count - 1 of one kv head.
struct KeyRows {
    KeyRows(const Call& call, std::int64_t kv_head, std::int64_t first, int count);
    KeyRows(const KeyRows&) = delete;

    std::int64_t first;
    Rows v;
    Matrix rotated, energy, feature, v_squared;
    Rows turned;                         ///< position^2 times the energy of each rotary pair
    Matrix rounded_energy, squared;      ///< as in QueryRows, and squares of the elements; expectations only
    std::vector<double> k_norm, v_norm;  ///< squared

    [[nodiscard]] int count() const { return v.rows; }
};

/// rows x count values for a query tile and `count` keys beginning at key `first`. Pairs that are not visible, or
/// not attended, have p = ds = variance = 0.
class PairTile {
public:
    PairTile(int rows, int columns, bool gradients, bool expectation);

    /// Precondition: the keys [first_key, first_key + count) are among `keys`, and all of the mode of `queries`.
    void evaluate(const Call& call, const QueryFacts& facts, const QueryRows& queries, const KeyRows& keys,
                  std::int64_t first_key, int count, Products& products);

    int count = 0;  ///< keys of the tile evaluated last
    std::int64_t first_key = 0;
    Matrix logit, p;
    Matrix variance;  ///< of the relative error of p: that of its logit, or more where that is large
    /// Expectations only. The part of `variance` that is the query's, the same error in all keys of a mode; and what
    /// exp and its argument add to p in the forward and in the backward pass, each on its own.
    Matrix query_part, forward, backward;
    Matrix dp, ds;  ///< dout . v and p (dp - delta); only with gradients
};

}  // namespace dca::reference::noise
