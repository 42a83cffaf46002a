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
/// and one more column for the accumulation of the dot product. Expectations know the elements that are rounded: two
/// blocks of one column per element give tau^2 (rounded_q k^2 + q^2 rounded_k), and `rotated` is 0.
int feature_columns(const Call& call) {
    return 3 * call.energy.pairs() + (call.expectation() ? 2 * call.context.head_dim : 0) + 1;
}

void query_feature(const Call& call, const double* rotated, const double* energy, double position, double* feature) {
    const double scale = call.context.softmax_scale * call.context.softmax_scale;
    const int pairs = call.energy.pairs(), d = call.context.head_dim;
    const double rounded = call.expectation() ? 0 : call.precision.rotated;
    for (int k = 0; k < pairs; ++k) {
        const double f = call.frequency[static_cast<std::size_t>(k)], turn = 2 * f * f;
        const double weight = scale * energy[k];
        const AngleVariance angle = call.angle[static_cast<std::size_t>(k)];
        feature[k] = weight * (4 * rounded + turn * angle.sum() * position * position);
        feature[pairs + k] = -2 * weight * turn * angle.frequency * position;
        feature[2 * pairs + k] = weight * turn * angle.sum();
    }
    const bool exact = exact_product(call.profile.input, call.profile.input, call.profile.accumulator);
    feature[feature_columns(call) - 1] =
        scale * call.accumulator_variance() * sum_variance(call.profile, squared_norm(rotated, d), 0, d, exact);
}

void key_feature(const Call& call, const double* energy, double position, double norm, double* feature) {
    const int pairs = call.energy.pairs();
    for (int k = 0; k < pairs; ++k) {
        feature[k] = energy[k];
        feature[pairs + k] = energy[k] * position;
        feature[2 * pairs + k] = energy[k] * position * position;
    }
    feature[feature_columns(call) - 1] = norm;
}

/// The two blocks of expectations: `first` goes with the other side's second block.
void element_features(const Call& call, double factor, const double* first, const double* second, double* feature) {
    const int d = call.context.head_dim;
    double* block = feature + 3 * call.energy.pairs();
    for (int e = 0; e < d; ++e) {
        block[e] = factor * first[e];
        block[d + e] = factor * second[e];
    }
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

namespace {

/// The expected relative variance of p where its logit's error is normal with this variance. The row's denominator
/// takes the mean of e^x away; what is left is E[e^2x] / E[e^x]^2 - 1 = e^v - 1. A series, for the C library's exp may
/// differ.
double expected_exponential(double variance) {
    constexpr double cap = 8;  // of v: no digit of p is left
    const double v = std::min(variance * typical_mantissa, cap);
    double term = v, sum = 0;
    for (int n = 2; n < 40; ++n) {
        sum += term;
        term *= v / n;
    }
    return sum / typical_mantissa;
}

/// What rounding the softmax scale does to all logits, and how often a logit is rounded after its sum: not where the
/// scale is a power of two.
double scale_error(double scale, Dtype format) {
    return scale == 0 ? 0 : (round_to(format, scale) - scale) / scale;
}

bool power_of_two(double x) {
    int exponent = 0;
    return std::abs(std::frexp(x, &exponent)) == 0.5;
}

}  // namespace

// The inverse frequency is rounded, and often evaluated with a low-precision power: one u of the angle. Its product
// with the position is rounded once more. Expectations know what the first rounding does.
AngleVariance angle_variance(const Call& call, double frequency) {
    const double u2 = call.precision.angle * call.precision.angle;
    if (!call.expectation() || u2 == 0) return {u2, u2 / 3};
    const double off = (round_to(Dtype::f32, frequency) - frequency) / frequency;
    return {off * off / typical_mantissa, off == 0 ? 0 : u2 / 3};
}

SumDepth sum_depth(const KernelProfile& profile, double n, bool exact_terms) {
    const SumLaw& law = profile.sums;
    if (!profile.expectation) return {law.bridge * n, law.drift * n};
    // The same sums for finite n: sum of (k/n) (1 - k/n) n / (n - 1) is (n + 1) / 6, of (k/n)^2 it is
    // (n + 1) (2n + 1) / (6n), of which (n + 1) / (6n) is counted in the bridge. The first partial sum is exact.
    return {law.bridge * (n + 1) - 1 / n + (exact_terms ? 0 : 1), law.drift * (n + 1)};
}

double sum_variance(const KernelProfile& profile, double norms, double value, int terms, bool exact_products) {
    // The roundings add sum_k S_k^2 of the partial sums S_k, a walk pinned to 0 and value. Its bridge part averages 1/6
    // of norms and follows the Cramer - von Mises law, 1 in 1000 above 7 times that: the 1/2 of a family keeps such
    // orders within the lines. The drift part is 1/3 where all terms weigh the same and up to 1 where the first ones
    // dominate. The products are rounded too.
    const SumLaw& law = profile.sums;
    if (!profile.expectation) return norms * (law.bridge + 1.0 / terms) + value * value * terms * law.drift;
    const SumDepth depth = sum_depth(profile, terms, exact_products);
    return norms * depth.bridge / terms + value * value * depth.drift;
}

bool exact_product(Dtype a, Dtype b, Dtype accumulator) {
    // Units that sum in 16 bits multiply exactly.
    if (traits(accumulator).storage_bits == 16) return true;
    return traits(a).precision + traits(b).precision <= traits(accumulator).precision;
}

void Call::measure_rounding(const double* given, const double* rotated, double* variance) const {
    const int d = context.head_dim;
    std::vector<double> pair(static_cast<std::size_t>(energy.columns()));
    if (profile.rotation == RotatedRounding::every_step) energy.measure(rotated, pair.data());
    for (int e = 0; e < d; ++e) {
        const int column = energy.column(e);
        variance[e] = 0;
        if (column >= energy.pairs() || profile.rotation == RotatedRounding::none) continue;
        if (profile.rotation == RotatedRounding::every_step) {
            variance[e] = precision.rotated * pair[static_cast<std::size_t>(column)];
            continue;
        }
        // The given element is a number of the type: turned by less than half its spacing, it comes back unturned.
        const double moved = rotated[e] - given[e], spread = known_rounding(rotated[e], profile.input);
        const bool comes_back = moved * moved <= 3 * typical_mantissa * spread;  // |moved| <= spacing / 2
        variance[e] = comes_back ? moved * moved / typical_mantissa : spread;
    }
}

Call::Call(const SequenceContext& c, const Outputs& o, const AttendedKeys& a, const KernelProfile& chosen)
    : context(c),
      outputs(o),
      attended(a),
      profile(chosen),
      precision(precision_of(c.problem, chosen)),
      energy(c.problem.rope.layout, c.head_dim, c.problem.resolved_rotary_dim()),
      frequency(inv_freq(c.problem, c.key_count)) {
    const double m = mscale(effective_rope(c.problem));
    mscale_squared = m * m;
    const TemperatureLaw& law = c.rotations.temperature();
    const std::int64_t length = std::max(c.key_count, c.sequence.offset + c.sequence.query_count());
    // The factors grow with the index: the last ones bound them all.
    temperature_squared = std::pow(std::max(law.query(QueryIndex(length - 1)), law.key(KeyIndex(length - 1))), 2);
    for (double f : frequency) angle.push_back(angle_variance(*this, f));
    common_logit_variance = m == 1 || energy.pairs() == 0 ? 0 : 4 * precision.table;
    logit_roundings = 2;
    sum_ratio = accumulator_variance() / statistics_variance();
    if (!expectation()) return;
    const double off = scale_error(c.softmax_scale, profile.statistics);
    common_logit_variance = off * off / typical_mantissa;
    logit_roundings = power_of_two(c.softmax_scale) ? 0 : 1;
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
      feature(facts.rows(), feature_columns(call)),
      turned(facts.rows(), call.energy.pairs()) {
    const SequenceContext& c = call.context;
    if (call.expectation()) {
        rounded = own = Matrix(facts.rows(), c.head_dim);
        rounded_energy = Matrix(facts.rows(), call.energy.columns());
    }
    rotated_queries(c, facts.tile, facts.head, mode, 1.0, rotated.row(0));
    for (int r = 0; r < facts.rows(); ++r) {
        position.push_back(c.rotations.positions().query(QueryIndex(facts.tile.index(r)), mode));
        call.energy.measure(rotated.row(r), energy.row(r));
        const double at = position.back();
        query_feature(call, rotated.row(r), energy.row(r), at, feature.row(r));
        for (int k = 0; k < call.energy.pairs(); ++k) turned.row(r)[k] = at * at * energy.row(r)[k];
        if (!call.expectation()) continue;
        const double tau = c.softmax_scale;
        call.measure_rounding(c.q_row(facts.tile.row_begin + r, facts.head), rotated.row(r), rounded.row(r));
        call.energy.average(rounded.row(r), rounded_energy.row(r));
        std::vector<double> squared(rotated.row(r), rotated.row(r) + c.head_dim);
        for (double& x : squared) x *= x;
        element_features(call, tau * tau, rounded.row(r), squared.data(), feature.row(r));
        for (int e = 0; e < c.head_dim; ++e) own.row(r)[e] = tau * tau * rounded.row(r)[e];
    }
}

KeyRows::KeyRows(const Call& call, std::int64_t kv_head, std::int64_t first_key, int count)
    : first(first_key),
      v{call.context.v_row(first_key, kv_head), count, call.context.head_dim_v, call.context.inputs.v.view().stride(1)},
      rotated(count, call.context.head_dim),
      energy(count, call.energy.columns()),
      feature(count, feature_columns(call)),
      v_squared(count, call.context.head_dim_v),
      turned(feature.view().column_slice(2 * call.energy.pairs(), call.energy.pairs())) {
    const SequenceContext& c = call.context;
    std::vector<double> angles(c.rotations.angles_size());
    if (call.expectation()) {
        squared = Matrix(count, c.head_dim);
        rounded_energy = Matrix(count, call.energy.columns());
    }
    std::vector<double> rounded(static_cast<std::size_t>(c.head_dim));
    for (int j = 0; j < count; ++j) {
        const KeyIndex key(first + j);
        c.rotations.key_angles(key, angles.data());
        c.rotations.rotate_key(angles.data(), key, c.k_row(first + j, kv_head), rotated.row(j));
        call.energy.measure(rotated.row(j), energy.row(j));
        k_norm.push_back(squared_norm(rotated.row(j), c.head_dim));
        v_norm.push_back(squared_norm(v.row(j), c.head_dim_v));
        key_feature(call, energy.row(j), c.rotations.positions().key(key), k_norm.back(), feature.row(j));
        for (int e = 0; e < c.head_dim_v; ++e) v_squared.row(j)[e] = v.row(j)[e] * v.row(j)[e];
        if (!call.expectation()) continue;
        call.measure_rounding(c.k_row(first + j, kv_head), rotated.row(j), rounded.data());
        call.energy.average(rounded.data(), rounded_energy.row(j));
        for (int e = 0; e < c.head_dim; ++e) squared.row(j)[e] = rotated.row(j)[e] * rotated.row(j)[e];
        element_features(call, 1, squared.row(j), rounded.data(), feature.row(j));
    }
}

PairTile::PairTile(int rows, int columns, bool gradients, bool expectation)
    : logit(rows, columns), p(rows, columns), variance(rows, columns) {
    if (expectation) query_part = forward = backward = Matrix(rows, columns);
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
    if (call.expectation()) products.nt(queries.own.view(), keys.squared.view().slice(offset, n), query_part);
    const double unit = call.statistics_variance(), tau = call.context.softmax_scale;
    const bool exact = exact_product(call.profile.input, call.profile.input, call.profile.accumulator);
    const int d = call.context.head_dim;
    for (int r = 0; r < facts.rows(); ++r) {
        double *s = logit.row(r), *probability = p.row(r), *var = variance.row(r);
        const auto at = static_cast<std::size_t>(r);
        const double lse = facts.lse[at];
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
            const double sums = call.sum_ratio * sum_variance(call.profile, 0, s[j], d, exact);
            const double logit_error =
                std::max(var[j], 0.0) + call.common_logit_variance * s2 + tau * tau * call.sum_floor_variance(d);
            if (!call.expectation()) {
                var[j] = exponential_variance(logit_error +
                                              unit * (sums + call.logit_roundings * s2 + shifted * shifted + 4));
                continue;
            }
            // exp itself is rounded once; the largest of a row is exp(0).
            const double below =
                facts.running_maximum.rows() == 0
                    ? 0
                    : std::min(s[j] - facts.maximum_before_exp(r, first + j, call.profile.key_tile), 0.0);
            var[j] = expected_exponential(logit_error + unit * (sums + call.logit_roundings * s2));
            forward.row(r)[j] = below < 0 ? unit * (below * below + 1) : 0;
            backward.row(r)[j] = unit * (shifted * shifted + 1);
        }
        std::fill(var + seen, var + n, 0.0);
        for (int j = 0; j < seen; ++j) {
            if (facts.attends(r, first + j)) continue;
            probability[j] = var[j] = 0;
            if (call.expectation()) forward.row(r)[j] = backward.row(r)[j] = query_part.row(r)[j] = 0;
            s[j] = std::numeric_limits<double>::lowest();  // times p it is 0, and it is never the largest
        }
        if (!gradients) continue;
        const double delta = facts.delta[at];
        for (int j = 0; j < n; ++j) ds.row(r)[j] = probability[j] * (dp.row(r)[j] - delta);
    }
}

}  // namespace dca::reference::noise
