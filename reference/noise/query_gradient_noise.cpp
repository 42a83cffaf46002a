#include "reference/noise/query_gradient_noise.hpp"

#include <algorithm>

namespace dca::reference::noise {

QueryGradientNoise::QueryGradientNoise(const Call& call, const QueryFacts& facts)
    : call_(call),
      facts_(facts),
      weight_(facts.rows(), key_tile_columns),
      mode_dq_(facts.rows(), call.context.head_dim),
      ds_squared_(facts.rows(), key_tile_columns),
      energy_(facts.rows(), call.energy.columns()),
      turned_(facts.rows(), call.energy.pairs()),
      part_energy_(facts.rows(), call.energy.columns()),
      part_turned_(facts.rows(), call.energy.pairs()),
      dq_(facts.rows(), call.context.head_dim),
      shares_(static_cast<std::size_t>(facts.rows())),
      angles_(call.context.rotations.angles_size()) {
    if (!call.expectation()) return;
    mode_direct_ = mode_lse_ = direct_ = of_lse_ = Matrix(facts.rows(), call.context.head_dim);
    drift_ = Matrix(facts.rows(), call.energy.columns());
}

/// A family lets one sum run over all keys of the row, whatever their mode.
SumDepth QueryGradientNoise::depth(int r, std::span<const double> mode_keys) const {
    const auto at = static_cast<std::size_t>(r);
    const KernelProfile& profile = call_.profile;
    return sum_depth(profile, profile.expectation ? mode_keys[at] : facts_.visible_keys[at],
                     exact_product(profile.ds, profile.input, profile.accumulator));
}

void QueryGradientNoise::add(const KeyRows& keys, const PairTile& tile, std::span<const double> mode_keys,
                             Products& products) {
    const int offset = static_cast<int>(tile.first_key - keys.first), n = tile.count;
    for (int r = 0; r < facts_.rows(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        const double operand = counted_operand_variance(call_) + rotated_operand_variance(call_) +
                               call_.accumulator_variance() * depth(r, mode_keys).bridge + score_roundings(call_);
        const double *p = tile.p.row(r), *ds = tile.ds.row(r), *dp = tile.dp.row(r), *variance = tile.variance.row(r);
        double *weight = weight_.row(r), *ds_squared = ds_squared_.row(r);
        const int seen = facts_.visible(r, tile.first_key, n);
        for (int j = 0; j < seen; ++j) {
            const auto key = static_cast<std::size_t>(offset + j);
            const double carried = p[j] * p[j] * dp_variance(call_, facts_.dout_norm[at], keys.v_norm[key], dp[j]) +
                                   underflow_variance(call_, p[j], dp[j] - facts_.delta[at]);
            const double own = call_.expectation() ? tile.backward.row(r)[j] : 0;
            const ScoreVariance of_ds =
                score_variance(call_, ds[j], operand, variance[j] + own, carried, call_.profile.p_scale);
            weight[j] = of_ds.sum();
            ds_squared[j] = ds[j] * ds[j];
            shares_[at].add(of_ds, keys.k_norm[key]);
        }
        std::fill(weight + seen, weight + n, 0.0);
        std::fill(ds_squared + seen, ds_squared + n, 0.0);
    }
    products.nn(weight_.corner(facts_.rows(), n), keys.energy.view().slice(offset, n), energy_, true);
    products.nn(ds_squared_.corner(facts_.rows(), n), keys.turned.slice(offset, n), turned_, true);
    products.nn(tile.ds.corner(facts_.rows(), n), keys.rotated.view().slice(offset, n), mode_dq_, true);
    if (call_.expectation()) add_shared_errors(keys, tile, products);
}

/// Leaves weight_ overwritten.
void QueryGradientNoise::add_shared_errors(const KeyRows& keys, const PairTile& tile, Products& products) {
    const int offset = static_cast<int>(tile.first_key - keys.first), n = tile.count;
    const Rows rotated = keys.rotated.view().slice(offset, n);
    products.nn(ds_squared_.corner(facts_.rows(), n), keys.rounded_energy.view().slice(offset, n), energy_, true);
    for (int r = 0; r < facts_.rows(); ++r) {
        for (int j = 0; j < n; ++j) weight_.row(r)[j] = ds_squared_.row(r)[j] * tile.variance.row(r)[j];
    }
    products.nn(weight_.corner(facts_.rows(), n), rotated, mode_direct_, true);
    for (int r = 0; r < facts_.rows(); ++r) {
        const double *p = tile.p.row(r), *ds = tile.ds.row(r), *variance = tile.variance.row(r);
        for (int j = 0; j < n; ++j) weight_.row(r)[j] = p[j] * ds[j] * variance[j];
    }
    products.nn(weight_.corner(facts_.rows(), n), rotated, mode_lse_, true);
}

void QueryGradientNoise::end_mode(const QueryRows& queries, std::span<const double> mode_keys) {
    const SequenceContext& c = call_.context;
    std::vector<double> energy(static_cast<std::size_t>(call_.energy.columns()));
    for (int r = 0; r < facts_.rows(); ++r) {
        call_.energy.measure(mode_dq_.row(r), energy.data());
        for (std::size_t e = 0; e < energy.size(); ++e) part_energy_.row(r)[e] += energy[e];
        const double position = queries.position[static_cast<std::size_t>(r)];
        for (int k = 0; k < call_.energy.pairs(); ++k) {
            part_turned_.row(r)[k] += position * position * energy[static_cast<std::size_t>(k)];
        }
        const QueryIndex i(facts_.tile.index(r));
        c.rotations.query_angles(i, queries.mode, angles_.data());
        c.rotations.add_transposed_query(angles_.data(), i, mode_dq_.row(r), dq_.row(r));
        if (!call_.expectation()) continue;
        c.rotations.add_transposed_query(angles_.data(), i, mode_direct_.row(r), direct_.row(r));
        c.rotations.add_transposed_query(angles_.data(), i, mode_lse_.row(r), of_lse_.row(r));
        const double drift = depth(r, mode_keys).drift;
        for (std::size_t e = 0; e < energy.size(); ++e) drift_.row(r)[e] += drift * energy[e];
    }
    mode_dq_.clear();
    mode_direct_.clear();
    mode_lse_.clear();
}

/// Errors of the angles turn the keys before they are summed, and the sum of every mode on its way back.
double QueryGradientNoise::angle_error(int r, int column) const {
    if (column >= call_.energy.pairs()) return 0;
    const double f = call_.frequency[static_cast<std::size_t>(column)];
    return call_.angle[static_cast<std::size_t>(column)].sum() * f * f *
           (turned_.row(r)[column] + part_turned_.row(r)[column]);
}

/// The error x_j of a logit reaches dq three ways, directly, through lse and through delta: x_j w_j with w_j = ds_j k_j
/// - p_j g - ds_j K, K the mean key and g the gradient. This is the sum of var x_j w_j^2 but for its first square, as
/// the mean over the pair, within which the frames of the modes are only turned.
double QueryGradientNoise::expected_shared(int r, int column, const MeanKey& mean_key, const InheritedRow& row) const {
    const bool rotary = column < call_.energy.pairs();
    const int dims[] = {rotary ? call_.energy.first(column) : column + call_.energy.pairs(),
                        rotary ? call_.energy.second(column) : column + call_.energy.pairs()};
    double sum = 0;
    for (const int e : dims) {
        const double g = dq_.row(r)[e], mean = mean_key.back.row(r)[e];
        sum += row.delta * mean * mean + row.lse * g * g +
               2 * (row.covariance * mean * g - direct_.row(r)[e] * mean - of_lse_.row(r)[e] * g);
    }
    return sum / 2;
}

void QueryGradientNoise::finish(const MeanKey& mean_key, double k_concentration, const InheritedNoise& inherited,
                                Tensor<float, 4>& sigma) {
    const SequenceContext& c = call_.context;
    const double scale = c.softmax_scale * c.softmax_scale;
    constexpr int roundings_of_part = 4;  // as written by its mode, then table entry, product and sum of the rotation
    const auto d = static_cast<std::size_t>(c.head_dim);
    std::vector<double> variance(d), separate(d);
    for (int r = 0; r < facts_.rows(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        const std::int64_t b = c.sequence.batch, row = c.sequence.query_begin + facts_.tile.row_begin + r;
        const double delta_variance = inherited.delta(b, facts_.head, row);
        const double lse_variance = inherited.lse(b, facts_.head, row);
        const InheritedRow inherited_here{lse_variance, delta_variance, inherited.covariance(b, facts_.head, row)};
        const double sum_depth = call_.accumulator_variance() * call_.profile.sums.drift * facts_.visible_keys[at];
        double from_keys = 0, common = 0;
        for (int e = 0; e < c.head_dim; ++e) {
            const int column = call_.energy.column(e);
            const double back = scale * call_.back_squared(column);
            const double dq2 = scale * dq_.row(r)[e] * dq_.row(r)[e], mean = mean_key.back.row(r)[e];
            const double keys = back * energy_.row(r)[column];
            const double turned = back * angle_error(r, column);
            const double shared = call_.expectation() ? scale * expected_shared(r, column, mean_key, inherited_here)
                                                      : scale * delta_variance * mean * mean + lse_variance * dq2;
            // The parts of the modes are rounded with the error of delta already in them: it may cancel among them.
            const double parts =
                back * (part_energy_.row(r)[column] + delta_variance * mean_key.part_energy.row(r)[column]);
            const double written = call_.profile.modes_apart ? parts : 0;
            const double rounding =
                call_.expectation() ? known_rounding(c.softmax_scale * dq_.row(r)[e], call_.profile.output) +
                                          call_.output_variance() * roundings_of_part * written
                                    : call_.output_variance() * (roundings_of_part * written + dq2) +
                                          call_.output_floor_variance() * (all_modes.size() * roundings_of_part + 1);
            const double summed =
                call_.expectation() ? call_.accumulator_variance() * back * drift_.row(r)[column] : sum_depth * dq2;
            separate[static_cast<std::size_t>(e)] =
                rounding + summed + turned + back * call_.sum_floor_variance(facts_.visible_keys[at]);
            variance[static_cast<std::size_t>(e)] =
                std::max(keys + shared, 0.0) + separate[static_cast<std::size_t>(e)];
            from_keys += keys;
            common += shared;
        }
        const double leading = from_keys * shares_[at].leading(k_concentration, 1) +
                               leading_of_channels(separate, k_concentration) + common;
        if (call_.profile.margins) widen(variance, leading, gradient_row_line);
        std::transform(variance.begin(), variance.end(), &sigma(b, row, facts_.head, 0), sigma_of);
    }
}

}  // namespace dca::reference::noise
