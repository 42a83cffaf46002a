#include "reference/noise/key_gradient_noise.hpp"

#include <algorithm>

namespace dca::reference::noise {

KeyGradientNoise::KeyGradientNoise(const Call& call, std::int64_t kv_head, std::int64_t first, int count)
    : call_(call),
      kv_head_(kv_head),
      keys_(call, kv_head, first, count),
      tile_(query_tile_rows, count, true, call.expectation()),
      k_weight_(query_tile_rows, count),
      v_weight_(query_tile_rows, count),
      ds_squared_(query_tile_rows, count),
      dk_(count, call.context.head_dim),
      dv_(count, call.context.head_dim_v),
      k_energy_(count, call.energy.columns()),
      turned_(count, call.energy.pairs()),
      v_energy_(count, call.context.head_dim_v),
      k_parts_(count, call.energy.columns()),
      v_parts_(count, call.context.head_dim_v),
      k_shares_(static_cast<std::size_t>(count)),
      v_shares_(static_cast<std::size_t>(count)),
      queries_(static_cast<std::size_t>(count)) {
    const Sequence& s = call.context.sequence;
    for (int j = 0; j < count; ++j) {
        const std::int64_t rows = s.offset + s.query_count() - std::max(first + j, s.offset);
        queries_[static_cast<std::size_t>(j)] =
            static_cast<double>(std::max<std::int64_t>(0, rows) * call.context.group);
    }
    mode_dk_.fill(Matrix(count, call.context.head_dim));
    mode_dv_.fill(Matrix(count, call.context.head_dim_v));
}

void KeyGradientNoise::add_head(const std::vector<QueryTile>& tiles, std::int64_t head, const InheritedNoise& inherited,
                                Products& products) {
    const std::int64_t begin = keys_.first, end = keys_.first + keys_.count();
    for (const QueryTile& tile : tiles) {
        if (tile.last_index() < begin) continue;
        const QueryFacts facts(call_, tile, head);
        for (const KeySpan& span : key_spans(call_.context.problem.chunk, tile.chunk, call_.context.key_count)) {
            const std::int64_t first = std::max(span.begin, begin), last = std::min(span.end, end);
            if (first >= last || first > tile.last_index()) continue;
            const QueryRows queries(call_, facts, span.mode);
            tile_.evaluate(call_, facts, queries, keys_, first, static_cast<int>(last - first), products);
            add(facts, queries, inherited, products);
        }
    }
    end_head();
}

double KeyGradientNoise::sum_variance_of(int j, std::int64_t first_seen, std::int64_t row, Dtype operand) const {
    const double n = queries_[static_cast<std::size_t>(j)];
    if (!call_.expectation()) return call_.accumulator_variance() * call_.profile.sums.bridge * n;
    // Rows come in order and weigh less and less, so the terms cannot change places: each stands in all partial sums
    // from its own on. Their signs are taken to be independent.
    const double before = static_cast<double>(heads_done_) * n / static_cast<double>(call_.context.group) +
                          static_cast<double>(row - first_seen);
    const bool exact = exact_product(operand, call_.profile.input, call_.profile.accumulator);
    return call_.accumulator_variance() * (n - before - (before == 0 ? 1 : 0) + (exact ? 0 : 1));
}

void KeyGradientNoise::add(const QueryFacts& facts, const QueryRows& queries, const InheritedNoise& inherited,
                           Products& products) {
    const SequenceContext& c = call_.context;
    const int offset = static_cast<int>(tile_.first_key - keys_.first), n = tile_.count, rows = facts.rows();
    const KernelProfile& profile = call_.profile;
    for (int r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        const std::int64_t row = c.sequence.query_begin + facts.tile.row_begin + r;
        const double lse = inherited.lse(c.sequence.batch, facts.head, row);
        const double delta = inherited.delta(c.sequence.batch, facts.head, row);
        const double covariance = inherited.covariance(c.sequence.batch, facts.head, row);
        const std::int64_t index = facts.tile.index(r);
        double q_norm = 0;
        for (int e = 0; e < c.head_dim; ++e) q_norm += queries.rotated.row(r)[e] * queries.rotated.row(r)[e];
        const double *p = tile_.p.row(r), *ds = tile_.ds.row(r), *dp = tile_.dp.row(r);
        const double* variance = tile_.variance.row(r);
        double *k_weight = k_weight_.row(r), *v_weight = v_weight_.row(r), *ds_squared = ds_squared_.row(r);
        const int seen = facts.visible(r, tile_.first_key, n);
        for (int j = 0; j < seen; ++j) {
            const auto key = static_cast<std::size_t>(offset + j);
            const std::int64_t first_seen = std::max(keys_.first + offset + j, c.sequence.offset);
            const double operand_ds =
                counted_operand_variance(call_) + sum_variance_of(offset + j, first_seen, index, profile.ds);
            const double operand_p =
                counted_operand_variance(call_) + sum_variance_of(offset + j, first_seen, index, profile.p);
            const double p2 = p[j] * p[j];
            double of_p_carried = variance[j] + lse, of_ds_carried = of_p_carried, common = 0;
            if (call_.expectation()) {
                // lse has p_j of this logit's error in it, and delta ds_j of it.
                const double own = tile_.backward.row(r)[j];
                of_p_carried += own - 2 * p[j] * variance[j];
                of_ds_carried += own - 4 * p[j] * variance[j];
                common = 2 * ds[j] * p[j] * covariance;
            }
            const double of_dp = p2 * (delta + dp_variance(call_, facts.dout_norm[at], keys_.v_norm[key], dp[j])) +
                                 underflow_variance(call_, p[j], dp[j] - facts.delta[at]);
            const ScoreVariance of_ds =
                score_variance(call_, ds[j], operand_ds + rotated_operand_variance(call_) + score_roundings(call_),
                               of_ds_carried, of_dp + common, profile.p_scale);
            const ScoreVariance of_p = score_variance(call_, p[j], operand_p, of_p_carried, 0, profile.p_scale);
            k_weight[j] = of_ds.sum();
            v_weight[j] = of_p.sum();
            ds_squared[j] = ds[j] * ds[j];
            k_shares_[key].add(of_ds, q_norm);
            v_shares_[key].add(of_p, facts.dout_norm[at]);
        }
        std::fill(k_weight + seen, k_weight + n, 0.0);
        std::fill(v_weight + seen, v_weight + n, 0.0);
        std::fill(ds_squared + seen, ds_squared + n, 0.0);
    }
    const auto mode = static_cast<std::size_t>(queries.mode);
    products.tn(k_weight_.corner(rows, n), queries.energy.view(), k_energy_, true, offset);
    products.tn(ds_squared_.corner(rows, n), queries.turned.view(), turned_, true, offset);
    if (call_.expectation()) {
        products.tn(ds_squared_.corner(rows, n), queries.rounded_energy.view(), k_energy_, true, offset);
    }
    products.tn(tile_.ds.corner(rows, n), queries.rotated.view(), mode_dk_[mode], true, offset);
    products.tn(tile_.p.corner(rows, n), facts.dout, mode_dv_[mode], true, offset);
    Matrix dout_squared(rows, c.head_dim_v);
    for (int r = 0; r < rows; ++r) {
        std::transform(facts.dout.row(r), facts.dout.row(r) + c.head_dim_v, dout_squared.row(r),
                       [](double x) { return x * x; });
    }
    products.tn(v_weight_.corner(rows, n), dout_squared.view(), v_energy_, true, offset);
}

/// Moves the parts of one head into the sums, and their energies, which are what separate roundings are relative to.
void KeyGradientNoise::end_head() {
    std::vector<double> energy(static_cast<std::size_t>(call_.energy.columns()));
    for (std::size_t mode = 0; mode < mode_dk_.size(); ++mode) {
        for (int j = 0; j < keys_.count(); ++j) {
            const double *dk = mode_dk_[mode].row(j), *dv = mode_dv_[mode].row(j);
            call_.energy.measure(dk, energy.data());
            for (std::size_t e = 0; e < energy.size(); ++e) k_parts_.row(j)[e] += energy[e];
            for (int e = 0; e < call_.context.head_dim; ++e) dk_.row(j)[e] += dk[e];
            for (int e = 0; e < call_.context.head_dim_v; ++e) {
                dv_.row(j)[e] += dv[e];
                v_parts_.row(j)[e] += dv[e] * dv[e];
            }
        }
        mode_dk_[mode].clear();
        mode_dv_[mode].clear();
        ++parts_;
    }
    ++heads_done_;
}

/// Errors of the angles turn the queries before they are summed, and the sum (of pair energy dk_energy) on its way
/// back.
double KeyGradientNoise::angle_error(int j, int column, double dk_energy) const {
    if (column >= call_.energy.pairs()) return 0;
    const double f = call_.frequency[static_cast<std::size_t>(column)];
    const double position = call_.context.rotations.positions().key(KeyIndex(keys_.first + j));
    return call_.angle[static_cast<std::size_t>(column)].sum() * f * f *
           (turned_.row(j)[column] + position * position * dk_energy);
}

void KeyGradientNoise::finish_dk(int j, double q_concentration, float* sigma) const {
    const SequenceContext& c = call_.context;
    const auto at = static_cast<std::size_t>(j);
    const double scale = c.softmax_scale * c.softmax_scale;
    constexpr int rotation_roundings = 3;  // table entry, product and sum of rotating back
    std::vector<double> angles(c.rotations.angles_size()), back(static_cast<std::size_t>(c.head_dim));
    const KeyIndex key(keys_.first + j);
    c.rotations.key_angles(key, angles.data());
    c.rotations.add_transposed_key(angles.data(), key, dk_.row(j), back.data());
    std::vector<double> total(static_cast<std::size_t>(call_.energy.columns()));
    call_.energy.measure(dk_.row(j), total.data());
    std::vector<double> variance(static_cast<std::size_t>(c.head_dim)), separate(variance.size());
    const double unit =
        call_.expectation() ? 0 : call_.accumulator_variance() * call_.profile.sums.drift * queries_[at];
    double from_queries = 0;
    for (int e = 0; e < c.head_dim; ++e) {
        const int column = call_.energy.column(e);
        const double factor = scale * call_.back_squared(column);
        const double dk2 = scale * back[static_cast<std::size_t>(e)] * back[static_cast<std::size_t>(e)];
        const double queries = factor * k_energy_.row(j)[column];
        const double parts =
            call_.profile.modes_apart
                ? factor * (2 * k_parts_.row(j)[column] + rotation_roundings * total[static_cast<std::size_t>(column)])
                : 0;
        const double rounding =
            call_.expectation()
                ? known_rounding(c.softmax_scale * back[static_cast<std::size_t>(e)], call_.profile.output) +
                      call_.output_variance() * parts
                : call_.output_variance() * (parts + dk2) +
                      call_.output_floor_variance() * (parts_ + rotation_roundings + 1);
        const double turned = factor * angle_error(j, column, total[static_cast<std::size_t>(column)]);
        separate[static_cast<std::size_t>(e)] =
            rounding + unit * dk2 + turned + factor * call_.sum_floor_variance(queries_[at]);
        variance[static_cast<std::size_t>(e)] = queries + separate[static_cast<std::size_t>(e)];
        from_queries += queries;
    }
    if (call_.profile.margins)
        widen(variance,
              from_queries * k_shares_[at].leading(q_concentration, 0) + leading_of_channels(separate, q_concentration),
              gradient_row_line);
    std::transform(variance.begin(), variance.end(), sigma, sigma_of);
}

void KeyGradientNoise::finish_dv(int j, double dout_concentration, float* sigma) const {
    const auto at = static_cast<std::size_t>(j);
    const auto dv = static_cast<std::size_t>(call_.context.head_dim_v);
    std::vector<double> variance(dv), separate(dv);
    const double unit =
        call_.expectation() ? 0 : call_.accumulator_variance() * call_.profile.sums.drift * queries_[at];
    double from_queries = 0;
    for (std::size_t c = 0; c < dv; ++c) {
        const double value = dv_.row(j)[c], square = value * value;
        const double queries = v_energy_.row(j)[c];
        const double parts = call_.profile.modes_apart ? 2 * v_parts_.row(j)[c] : 0;
        const double rounding = call_.expectation() ? call_.output_variance() * parts
                                                    : call_.output_variance() * (parts + square) +
                                                          call_.output_floor_variance() * (parts_ + 1);
        separate[c] = rounding + unit * square + call_.sum_floor_variance(queries_[at]);
        variance[c] = queries + separate[c];
        if (call_.expectation()) variance[c] = written_variance(value, variance[c], call_.profile.output);
        from_queries += queries;
    }
    if (call_.profile.margins)
        widen(variance,
              from_queries * v_shares_[at].leading(dout_concentration, 0) +
                  leading_of_channels(separate, dout_concentration),
              gradient_row_line);
    std::transform(variance.begin(), variance.end(), sigma, sigma_of);
}

void KeyGradientNoise::finish(double q_concentration, double dout_concentration, Tensor<float, 4>& dk,
                              Tensor<float, 4>& dv) {
    const Sequence& sequence = call_.context.sequence;
    for (int j = 0; j < keys_.count(); ++j) {
        if (queries_[static_cast<std::size_t>(j)] == 0) continue;
        const std::int64_t key = sequence.key_begin + keys_.first + j - call_.context.first_stored_key;
        finish_dk(j, q_concentration, &dk(sequence.batch, key, kv_head_, 0));
        finish_dv(j, dout_concentration, &dv(sequence.batch, key, kv_head_, 0));
    }
}

}  // namespace dca::reference::noise
