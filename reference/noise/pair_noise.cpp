#include "reference/noise/pair_noise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/rope_frequencies.hpp"

namespace dca::reference::noise {
namespace {

double squared_norm(const double* row, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += row[e] * row[e];
    return sum;
}

double dot(const double* a, const double* b, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += a[e] * b[e];
    return sum;
}

/// The logit variance of a pair is feature(query) . feature(key): blocks of one column per rotary pair, the
/// coefficients of 1, P_k and P_k^2 in
///   tau^2 qbar kbar [ 4 rotated + 2 f^2 (a_f (P_q - P_k)^2 + a_p (P_q^2 + P_k^2)) ],
/// and one more column for the accumulation of the dot product.
int feature_columns(const PairEnergy& energy) {
    return 3 * energy.pairs() + 1;
}

void query_feature(const Call& call, const double* rotated, const double* energy, double position, double* feature) {
    const double scale = call.context.softmax_scale * call.context.softmax_scale;
    const AngleVariance angle = angle_variance(call);
    const int pairs = call.energy.pairs(), d = call.context.head_dim;
    for (int k = 0; k < pairs; ++k) {
        const double f = call.frequency[static_cast<std::size_t>(k)], turn = 2 * f * f;
        const double weight = scale * energy[k];
        feature[k] = weight * (4 * call.precision.rotated + turn * angle.sum() * position * position);
        feature[pairs + k] = -2 * weight * turn * angle.frequency * position;
        feature[2 * pairs + k] = weight * turn * angle.sum();
    }
    feature[3 * pairs] = scale * call.accumulator_variance() * sum_variance(squared_norm(rotated, d), 0, d);
}

void key_feature(const Call& call, const double* energy, double position, double norm, double* feature) {
    const int pairs = call.energy.pairs();
    for (int k = 0; k < pairs; ++k) {
        feature[k] = energy[k];
        feature[pairs + k] = energy[k] * position;
        feature[2 * pairs + k] = energy[k] * position * position;
    }
    feature[3 * pairs] = norm;
}

}  // namespace

double exponential_variance(double variance) {
    constexpr double small = 1e-2, cap = 4;  // below, the first order is the larger; above, no digit of p is left
    if (variance < small) return variance;
    double reciprocal = -4.5 * std::sqrt(std::min(variance, cap));
    tiles::best().exp_minus(&reciprocal, 1, 0.0);  // the C library's exp may differ between machines
    const double tail = (1 / reciprocal - 1) / 6;
    return std::max(variance, tail * tail);
}

double sum_variance(double norms, double value, int terms) {
    // The roundings add sum_k S_k^2 of the partial sums S_k, a walk pinned to 0 and value. Its bridge part averages 1/6
    // of norms and follows the Cramer - von Mises law, 1 in 1000 above 7 times that: 1/2 keeps such orders within the
    // lines. The drift part is 1/3 where all terms weigh the same and up to 1 where the first ones dominate. The
    // products are rounded too.
    return norms * (0.5 + 1.0 / terms) + value * value * terms / 2.0;
}

AngleVariance angle_variance(const Call& call) {
    // The inverse frequency is rounded, and often evaluated with a low-precision power: one u of the angle. Its product
    // with the position is rounded once more.
    const double u2 = call.precision.angle * call.precision.angle;
    return {u2, u2 / 3};
}

Call::Call(const SequenceContext& c, const Outputs& o, const AttendedKeys& a)
    : context(c),
      outputs(o),
      attended(a),
      precision(precision_of(c.problem)),
      energy(c.problem.rope.layout, c.head_dim, c.problem.resolved_rotary_dim()),
      frequency(inv_freq(c.problem, c.key_count)) {
    const double m = mscale(effective_rope(c.problem));
    mscale_squared = m * m;
    const TemperatureLaw& law = c.rotations.temperature();
    const std::int64_t length = std::max(c.key_count, c.sequence.offset + c.sequence.query_count());
    // The factors grow with the index: the last ones bound them all.
    temperature_squared = std::pow(std::max(law.query(QueryIndex(length - 1)), law.key(KeyIndex(length - 1))), 2);
    common_logit_variance = m == 1 || energy.pairs() == 0 ? 0 : 4 * precision.table;
}

QueryFacts::QueryFacts(const Call& call, const QueryTile& t, std::int64_t h)
    : tile(t), head(h), key_count(call.context.key_count) {
    const SequenceContext& c = call.context;
    const std::int64_t b = c.sequence.batch, first = c.sequence.query_begin + tile.row_begin;
    const int dv = c.head_dim_v;
    out = {&call.outputs.out(b, first, head, 0), rows(), dv, call.outputs.out.view().stride(1)};
    dout = {nullptr, rows(), dv, 0};
    if (call.wants_gradients()) {
        dout.data = &(*c.inputs.dout)(b, first, head, 0);
        dout.stride = c.inputs.dout->view().stride(1);
    }
    for (int r = 0; r < rows(); ++r) {
        lse.push_back(call.outputs.lse(b, head, first + r));
        visible_keys.push_back(static_cast<double>(std::min(tile.index(r) + 1, c.key_count)));
        out_norm.push_back(squared_norm(out.row(r), dv));
        dout_norm.push_back(dout.data ? squared_norm(dout.row(r), dv) : 0);
        delta.push_back(dout.data ? dot(dout.row(r), out.row(r), dv) : 0);
    }
    if (!call.attended) return;
    attended.resize(static_cast<std::size_t>(rows() * key_count));
    call.attended({c.sequence, tile.row_begin, tile.row_end, head}, attended);
    for (int r = 0; r < rows(); ++r) {
        const auto row = attended.begin() + r * key_count;
        const auto at = static_cast<std::size_t>(r);
        visible_keys[at] = static_cast<double>(std::count(row, row + key_count, std::uint8_t{1}));
        if (visible_keys[at] == 0) lse[at] = 0;
    }
}

int QueryFacts::visible(int r, std::int64_t first, int count) const {
    return static_cast<int>(std::clamp<std::int64_t>(tile.index(r) + 1 - first, 0, count));
}

QueryRows::QueryRows(const Call& call, const QueryFacts& facts, Mode m)
    : mode(m),
      rotated(facts.rows(), call.context.head_dim),
      energy(facts.rows(), call.energy.columns()),
      feature(facts.rows(), feature_columns(call.energy)),
      turned(facts.rows(), call.energy.pairs()) {
    const SequenceContext& c = call.context;
    rotated_queries(c, facts.tile, facts.head, mode, 1.0, rotated.row(0));
    for (int r = 0; r < facts.rows(); ++r) {
        position.push_back(c.rotations.positions().query(QueryIndex(facts.tile.index(r)), mode));
        call.energy.measure(rotated.row(r), energy.row(r));
        const double at = position.back();
        query_feature(call, rotated.row(r), energy.row(r), at, feature.row(r));
        for (int k = 0; k < call.energy.pairs(); ++k) turned.row(r)[k] = at * at * energy.row(r)[k];
    }
}

KeyRows::KeyRows(const Call& call, std::int64_t kv_head, std::int64_t first_key, int count)
    : first(first_key),
      v{call.context.v_row(first_key, kv_head), count, call.context.head_dim_v, call.context.inputs.v.view().stride(1)},
      rotated(count, call.context.head_dim),
      energy(count, call.energy.columns()),
      feature(count, feature_columns(call.energy)),
      v_squared(count, call.context.head_dim_v),
      turned(feature.view().column_slice(2 * call.energy.pairs(), call.energy.pairs())) {
    const SequenceContext& c = call.context;
    std::vector<double> angles(c.rotations.angles_size());
    for (int j = 0; j < count; ++j) {
        const KeyIndex key(first + j);
        c.rotations.key_angles(key, angles.data());
        c.rotations.rotate_key(angles.data(), key, c.k_row(first + j, kv_head), rotated.row(j));
        call.energy.measure(rotated.row(j), energy.row(j));
        k_norm.push_back(squared_norm(rotated.row(j), c.head_dim));
        v_norm.push_back(squared_norm(v.row(j), c.head_dim_v));
        key_feature(call, energy.row(j), c.rotations.positions().key(key), k_norm.back(), feature.row(j));
        for (int e = 0; e < c.head_dim_v; ++e) v_squared.row(j)[e] = v.row(j)[e] * v.row(j)[e];
    }
}

PairTile::PairTile(int rows, int columns, bool gradients)
    : logit(rows, columns), p(rows, columns), variance(rows, columns) {
    if (!gradients) return;
    dp = Matrix(rows, columns);
    ds = Matrix(rows, columns);
}

void PairTile::evaluate(const Call& call, const QueryFacts& facts, const QueryRows& queries, const KeyRows& keys,
                        std::int64_t first, int n, Products& products) {
    first_key = first;
    count = n;
    const int offset = static_cast<int>(first - keys.first);
    const bool gradients = call.wants_gradients();
    products.nt(queries.rotated.view(), keys.rotated.view().slice(offset, n), logit);
    products.nt(queries.feature.view(), keys.feature.view().slice(offset, n), variance);
    if (gradients) products.nt(facts.dout, keys.v.slice(offset, n), dp);
    const double unit = call.accumulator_variance(), tau = call.context.softmax_scale;
    const int d = call.context.head_dim;
    for (int r = 0; r < facts.rows(); ++r) {
        double *s = logit.row(r), *probability = p.row(r), *var = variance.row(r);
        const double lse = facts.lse[static_cast<std::size_t>(r)];
        const int seen = facts.visible(r, first, n);
        for (int j = 0; j < seen; ++j) {
            s[j] *= tau;
            probability[j] = std::min(s[j], lse);  // s <= lse but for the rounding of both
        }
        std::fill(probability + seen, probability + n, -std::numeric_limits<double>::infinity());
        tiles::best().exp_minus(probability, n, lse);
        for (int j = 0; j < seen; ++j) {
            // Accumulation of q.k up to s; exp: its argument is scaled twice and shifted, the function itself is off by
            // up to one ulp, twice the unit roundoff.
            const double shifted = s[j] - lse, s2 = s[j] * s[j];
            var[j] = exponential_variance(std::max(var[j], 0.0) + call.common_logit_variance * s2 +
                                          unit * (sum_variance(0, s[j], d) + 2 * s2 + shifted * shifted + 4));
        }
        std::fill(var + seen, var + n, 0.0);
        for (int j = 0; j < seen; ++j) {
            if (facts.attends(r, first + j)) continue;
            probability[j] = var[j] = 0;
            s[j] = std::numeric_limits<double>::lowest();  // times p it is 0, and it is never the largest
        }
        if (!gradients) continue;
        const double delta = facts.delta[static_cast<std::size_t>(r)];
        for (int j = 0; j < n; ++j) ds.row(r)[j] = probability[j] * (dp.row(r)[j] - delta);
    }
}

}  // namespace dca::reference::noise
