#include "reference/noise/output_noise.hpp"

#include <algorithm>
#include <cmath>

namespace dca::reference::noise {

float sigma_of(double variance) {
    const auto sigma = static_cast<float>(std::sqrt(variance));
    constexpr float smallest = std::numeric_limits<float>::denorm_min();
    return sigma < smallest ? smallest : sigma;
}

OutputNoise::OutputNoise(const Call& call, const QueryFacts& facts)
    : call_(call),
      facts_(facts),
      sums_(static_cast<std::size_t>(facts.rows())),
      weight_(facts.rows(), key_tile_columns),
      logit_weight_(facts.rows(), key_tile_columns),
      mode_out_(facts.rows(), call.context.head_dim_v),
      mode_key_(facts.rows(), call.context.head_dim),
      mode_p_(static_cast<std::size_t>(facts.rows())),
      squares_(facts.rows(), call.context.head_dim_v),
      logit_values_(facts.rows(), call.context.head_dim_v),
      visible_values_(facts.rows(), call.context.head_dim_v),
      part_energy_(facts.rows(), call.context.head_dim_v),
      part_shift_(facts.rows(), call.context.head_dim_v),
      mean_key_{Matrix(facts.rows(), call.context.head_dim), Matrix(facts.rows(), call.energy.columns())},
      angles_(call.context.rotations.angles_size()) {
    if (!call.expectation()) return;
    largest_p_ = facts.running_maximum;
    for (int r = 0; r < facts.rows(); ++r) {
        tiles::best().exp_minus(largest_p_.row(r), largest_p_.columns(), facts.lse[static_cast<std::size_t>(r)]);
    }
}

SumDepth OutputNoise::value_depth(int r) const {
    const KernelProfile& profile = call_.profile;
    return sum_depth(profile, facts_.visible_keys[static_cast<std::size_t>(r)],
                     exact_product(profile.p, profile.input, profile.accumulator));
}

double OutputNoise::product_variance(int r) const {
    const double rounded = call_.expectation() ? 0 : call_.operand_variance();  // else relative_rounding
    return rounded + call_.accumulator_variance() * value_depth(r).bridge;
}

double OutputNoise::relative_rounding(const PairTile& tile, int r, int j) const {
    // As the kernel rounds it, relative to the largest so far: that one is exp(0) = 1 and needs no rounding.
    if (tile.forward.row(r)[j] == 0 || call_.precision.operand == 0) return 0;
    const double largest = largest_p_.row(r)[(tile.first_key + j) / call_.profile.key_tile];
    const double p = tile.p.row(r)[j] / largest * call_.profile.p_scale;
    return p > 0 ? std::min(known_rounding(p, call_.profile.p) / (p * p), 1.0) : 0;
}

double OutputNoise::denominator_variance(int r) const {
    const auto at = static_cast<std::size_t>(r);
    const SumDepth depth = sum_depth(call_.profile, facts_.visible_keys[at], true);
    const double bridge = call_.expectation() ? depth.bridge * sums_[at].p_squared : 0;
    return call_.statistics_variance() * depth.drift + call_.statistics_variance() * bridge;
}

void OutputNoise::add(const KeyRows& keys, const PairTile& tile, Products& products) {
    const int offset = static_cast<int>(tile.first_key - keys.first), n = tile.count;
    for (int r = 0; r < facts_.rows(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        RowSums& sums = sums_[at];
        const double *p = tile.p.row(r), *variance = tile.variance.row(r), *logit = tile.logit.row(r);
        double *weight = weight_.row(r), *logit_weight = logit_weight_.row(r);
        const double* forward = call_.expectation() ? tile.forward.row(r) : nullptr;
        const double every_product = product_variance(r), out_norm = facts_.out_norm[at];
        const int seen = facts_.visible(r, tile.first_key, n);
        for (int j = 0; j < seen; ++j) {
            const double p2 = p[j] * p[j], v_norm = keys.v_norm[static_cast<std::size_t>(offset + j)];
            const double product = forward != nullptr ? every_product + relative_rounding(tile, r, j) : every_product;
            logit_weight[j] = p2 * (forward != nullptr ? variance[j] + forward[j] : variance[j]);
            if (forward != nullptr) {
                sums.own_query += p2 * tile.query_part.row(r)[j];
                sums.p_squared += p2;
                sums.p_variance += p[j] * variance[j];
            }
            weight[j] = p2 * product + logit_weight[j];
            mode_p_[at] += p[j];
            sums.p_logit += p[j] * logit[j];
            sums.largest_p = std::max(sums.largest_p, p[j]);
            sums.largest_logit = std::max(sums.largest_logit, logit[j]);
            sums.p_squared_variance += logit_weight[j];
            sums.operand += p2 * product * v_norm;
            sums.logit.add(logit_weight[j] * (v_norm + out_norm));
        }
        std::fill(weight + seen, weight + n, 0.0);
        std::fill(logit_weight + seen, logit_weight + n, 0.0);
        if (!call_.wants_gradients()) continue;
        const double *dp = tile.dp.row(r), *ds = tile.ds.row(r);
        for (int j = 0; j < seen; ++j) {
            const double product = forward != nullptr ? every_product + relative_rounding(tile, r, j) : every_product;
            const double of_p = forward != nullptr ? variance[j] + forward[j] : variance[j];
            sums.delta_of_keys += product * p[j] * p[j] * dp[j] * dp[j] + of_p * ds[j] * ds[j];
            sums.dp_squared += dp[j] * dp[j];
            sums.covariance += p[j] * ds[j] * of_p;
        }
    }
    products.nn(tile.p.corner(facts_.rows(), n), keys.v.slice(offset, n), mode_out_, true);
    products.nn(tile.p.corner(facts_.rows(), n), keys.rotated.view().slice(offset, n), mode_key_, true);
    products.nn(weight_.corner(facts_.rows(), n), keys.v_squared.view().slice(offset, n), squares_, true);
    products.nn(logit_weight_.corner(facts_.rows(), n), keys.v.slice(offset, n), logit_values_, true);
    add_visible_values(keys, tile);
}

/// Rows of a tile see nested sets of keys, so one running sum serves them all; attended sets are not nested.
void OutputNoise::add_visible_values(const KeyRows& keys, const PairTile& tile) {
    const int offset = static_cast<int>(tile.first_key - keys.first), dv = call_.context.head_dim_v;
    for (int r = 0; r < facts_.rows() && !facts_.attended.empty(); ++r) {
        for (int j = 0; j < facts_.visible(r, tile.first_key, tile.count); ++j) {
            if (!facts_.attends(r, tile.first_key + j)) continue;
            const double* squared = keys.v_squared.row(offset + j);
            for (int c = 0; c < dv; ++c) visible_values_.row(r)[c] += squared[c];
        }
    }
    if (!facts_.attended.empty()) return;
    std::vector<double> running(static_cast<std::size_t>(dv));
    int summed = 0;
    for (int r = 0; r < facts_.rows(); ++r) {
        for (const int seen = facts_.visible(r, tile.first_key, tile.count); summed < seen; ++summed) {
            const double* squared = keys.v_squared.row(offset + summed);
            for (int c = 0; c < dv; ++c) running[static_cast<std::size_t>(c)] += squared[c];
        }
        for (int c = 0; c < dv; ++c) visible_values_.row(r)[c] += running[static_cast<std::size_t>(c)];
    }
}

/// Errors of the rotated query move every logit of the mode: delta q~ . (sum p k~) in lse.
double OutputNoise::shared_query_error(const QueryRows& queries, int r) const {
    const double *q = queries.rotated.row(r), *energy = queries.energy.row(r), *k = mode_key_.row(r);
    const double position = queries.position[static_cast<std::size_t>(r)];
    double sum = 0;
    for (int pair = 0; pair < call_.energy.pairs(); ++pair) {
        const int a = call_.energy.first(pair), b = call_.energy.second(pair);
        const double f = call_.frequency[static_cast<std::size_t>(pair)];
        const double turn = call_.angle[static_cast<std::size_t>(pair)].product * position * position;
        const double cross = q[a] * k[b] - q[b] * k[a];
        const double rounded =
            call_.expectation() ? 0 : call_.precision.rotated * energy[pair] * (k[a] * k[a] + k[b] * k[b]);
        sum += rounded + turn * f * f * cross * cross;
    }
    return sum * call_.context.softmax_scale * call_.context.softmax_scale;
}

/// The same for the roundings of q~, element by element: those of two modes are related where the modes turn it alike.
double OutputNoise::query_rounding_error(const ModeOfQuery& a, const ModeOfQuery& b, int r) const {
    double sum = 0;
    for (int e = 0; e < call_.context.head_dim; ++e) {
        const double variance = a.rounded.row(r)[e], other = b.rounded.row(r)[e];
        if (variance == 0 || other == 0) continue;
        // Of two numbers apart by the part t of a spacing, each rounded: the mean of (u - 1/2) ((u + t) mod 1 - 1/2).
        const double spread = known_rounding(a.rotated.row(r)[e], call_.profile.input) * typical_mantissa * 12;
        const double t = std::abs(a.rotated.row(r)[e] - b.rotated.row(r)[e]) / std::sqrt(spread);
        if (t >= 1) continue;
        sum += (1 - 6 * t + 6 * t * t) * std::sqrt(variance * other) * a.mean_key.row(r)[e] * b.mean_key.row(r)[e];
    }
    return sum * call_.context.softmax_scale * call_.context.softmax_scale;
}

void OutputNoise::end_mode(const QueryRows& queries) {
    const SequenceContext& c = call_.context;
    std::vector<double> energy(static_cast<std::size_t>(call_.energy.columns()));
    if (call_.expectation()) modes_.push_back({queries.rotated, queries.rounded, mode_key_});
    for (int r = 0; r < facts_.rows(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        if (mode_p_[at] > 0) ++sums_[at].modes;
        for (int e = 0; e < c.head_dim_v; ++e) {
            const double part = mode_out_.row(r)[e], shift = part - mode_p_[at] * facts_.out.row(r)[e];
            part_energy_.row(r)[e] += part * part;
            part_shift_.row(r)[e] += shift * shift;
        }
        sums_[at].shared_lse += shared_query_error(queries, r);
        for (const ModeOfQuery& other : modes_)
            sums_[at].shared_lse += 2 * query_rounding_error(other, modes_.back(), r);
        if (call_.expectation()) sums_[at].shared_lse -= query_rounding_error(modes_.back(), modes_.back(), r);
        const QueryIndex i(facts_.tile.index(r));
        c.rotations.query_angles(i, queries.mode, angles_.data());
        c.rotations.add_transposed_query(angles_.data(), i, mode_key_.row(r), mean_key_.back.row(r));
        call_.energy.measure(mode_key_.row(r), energy.data());
        for (std::size_t e = 0; e < energy.size(); ++e) mean_key_.part_energy.row(r)[e] += energy[e];
    }
    mode_out_.clear();
    mode_key_.clear();
    std::fill(mode_p_.begin(), mode_p_.end(), 0.0);
}

double OutputNoise::lse_rounding(int r) const {
    const auto at = static_cast<std::size_t>(r);
    const double lse = facts_.lse[at], log_sum = lse - sums_[at].largest_logit;
    // lse is the sum of two numbers of its own type. Where the finer of them has half or a quarter of its spacing, the
    // error takes few values, ties among them: its variance is 1 + 2 (finer / own)^2 times that of an even spread.
    const Dtype type = call_.profile.statistics;
    const double own = known_rounding(lse, type);
    const double finer = std::min(known_rounding(log_sum, type), known_rounding(sums_[at].largest_logit, type));
    const double written = finer < own ? own * (1 + 2 * finer / own) : 0;
    return denominator_variance(r) + known_rounding(log_sum, type) + written;
}

double OutputNoise::lse_variance(int r) const {
    const auto at = static_cast<std::size_t>(r);
    const RowSums& sums = sums_[at];
    const double common = call_.common_logit_variance * sums.p_logit * sums.p_logit;
    if (call_.expectation()) {
        // log of a sum of e^x with x of mean 0 lies above by half the variance that the keys do not average out: p x^2
        // / 2 less (sum p x)^2 / 2. Its size is known, where the other errors have a sign each.
        const double shift = typical_mantissa * (sums.p_variance - sums.p_squared_variance) / 2;
        return sums.p_squared_variance - sums.own_query + sums.shared_lse + common + lse_rounding(r) +
               shift * shift / typical_mantissa;
    }
    const double lse = facts_.lse[at], log_sum = lse - sums.largest_logit;
    return sums.p_squared_variance + sums.shared_lse + common +
           call_.statistics_variance() *
               (std::max(1.0, lse * lse) + log_sum * log_sum + 2 * sums.p_logit * sums.p_logit +
                sum_depth(call_.profile, facts_.visible_keys[at], true).drift);
}

double OutputNoise::inherited_lse_variance(int r) const {
    return call_.expectation() ? sums_[static_cast<std::size_t>(r)].p_squared_variance + lse_rounding(r)
                               : lse_variance(r);
}

void OutputNoise::finish_out(int r, double v_concentration, double k_concentration, float* sigma,
                             double* delta_variance) const {
    const auto at = static_cast<std::size_t>(r);
    const RowSums& sums = sums_[at];
    const double* out = facts_.out.row(r);
    const int dv = call_.context.head_dim_v;
    const bool merged = sums.modes > 1 && call_.profile.modes_apart;
    const double numerator = call_.accumulator_variance() * value_depth(r).drift;
    const double denominator = denominator_variance(r);
    const double lse = facts_.lse[at];
    const double merge_weight = merged ? call_.statistics_variance() * std::max(1.0, lse * lse) : 0;
    const double floor = call_.expectation() ? 0 : call_.precision.operand_floor * sums.largest_p;
    const double lost_in_sums = call_.sum_floor_variance(facts_.visible_keys[at]) * sums.largest_p * sums.largest_p;
    const int roundings = merged ? 2 * sums.modes + 2 : 1;

    std::vector<double> variance(static_cast<std::size_t>(dv)), separate(static_cast<std::size_t>(dv));
    double key_energy = 0, common = 0, floor_energy = 0, delta = 0;
    for (int c = 0; c < dv; ++c) {
        const double o = out[c], o2 = o * o;
        // sum p^2 var (v - O)^2 and the operand term share squares_.
        const double moved = o2 * sums.p_squared_variance - 2 * o * logit_values_.row(r)[c];
        // No error of p moves out farther than the values reach.
        const double from_keys = std::clamp(squares_.row(r)[c] + moved, 0.0, visible_values_.row(r)[c]);
        const double parts = merged ? 2 * part_energy_.row(r)[c] + o2 : 0;
        const double shared = denominator * o2 + merge_weight * part_shift_.row(r)[c];
        const double underflow = floor * floor * visible_values_.row(r)[c] + lost_in_sums;
        double rounding = call_.output_variance() * (o2 + parts) + call_.output_floor_variance() * roundings;
        const double before = from_keys + underflow + numerator * o2 + shared;
        double& total = variance[static_cast<std::size_t>(c)];
        total = from_keys + underflow + rounding + numerator * o2 + shared;
        if (call_.expectation()) {
            const double with_parts = before + call_.output_variance() * parts;
            total = written_variance(o, with_parts, call_.profile.output);
            rounding = total - before;
        }
        separate[static_cast<std::size_t>(c)] = rounding + numerator * o2;
        key_energy += from_keys;
        common += shared;
        floor_energy += underflow;
        if (delta_variance) {
            const double dout = facts_.dout.row(r)[c];
            const double written = call_.profile.delta_from_rounded_out ? rounding : 0;
            delta += dout * dout * (written + numerator * o2 + merge_weight * part_shift_.row(r)[c]);
        }
    }
    if (delta_variance) {
        const double d = facts_.delta[at];
        // Where O came back to the grid, errors of p are not in it either: delta is then negative here.
        *delta_variance =
            delta + sums.delta_of_keys + floor * floor * sums.dp_squared + denominator * d * d +
            call_.statistics_variance() *
                sum_variance(call_.profile, facts_.dout_norm[at] * facts_.out_norm[at], d, dv,
                             exact_product(call_.profile.input, call_.profile.output, call_.profile.statistics)) +
            lost_in_sums * facts_.dout_norm[at];
        // Where O came back to the grid, the errors of p are not in it either, and the first term is negative.
        *delta_variance = std::max(*delta_variance, 0.0);
    }
    const double operand_energy = std::min(sums.operand, key_energy);
    const double logit_energy = key_energy - operand_energy;
    const double leading =
        (operand_energy + floor_energy) * v_concentration +
        logit_energy * std::min(1.0, sums.logit.concentration(1) + v_concentration + k_concentration) +
        leading_of_channels(separate, v_concentration) + common;
    if (call_.profile.margins) widen(variance, leading, forward_row_line);
    std::transform(variance.begin(), variance.end(), sigma, sigma_of);
}

void OutputNoise::finish(double v_concentration, double k_concentration, ErrorScales& scales,
                         InheritedNoise& inherited) {
    const SequenceContext& c = call_.context;
    for (int r = 0; r < facts_.rows(); ++r) {
        if (facts_.visible_keys[static_cast<std::size_t>(r)] == 0) continue;  // attends to nothing: exact, sigma 0
        const std::int64_t b = c.sequence.batch, row = c.sequence.query_begin + facts_.tile.row_begin + r;
        double& delta = inherited.delta(b, facts_.head, row);
        finish_out(r, v_concentration, k_concentration, &scales.out(b, row, facts_.head, 0),
                   call_.wants_gradients() ? &delta : nullptr);
        inherited.lse(b, facts_.head, row) = inherited_lse_variance(r);
        inherited.covariance(b, facts_.head, row) =
            call_.expectation() ? sums_[static_cast<std::size_t>(r)].covariance : 0;
        scales.lse(b, facts_.head, row) = sigma_of(lse_variance(r));
    }
}

}  // namespace dca::reference::noise
