// The part of QueryNoise that belongs to dq (docs/error_model.md section 5).
#include <algorithm>
#include <cmath>

#include "reference/noise/output_noise.hpp"
#include "reference/noise/score_gradient.hpp"
#include "reference/probe/query_noise.hpp"

namespace dca::reference::probe {
namespace {

std::size_t at(int row, int columns) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns);
}

/// The variance of dp = dout . v is norms dout_norm |v|^2 + square (dout . v)^2.
struct DpVariance {
    double norms, square;
    explicit DpVariance(const noise::Call& call)
        : norms(call.accumulator_variance() * noise::sum_variance(call.profile, 1, 0, call.context.head_dim_v, false)),
          square(call.accumulator_variance() *
                 noise::sum_variance(call.profile, 0, 1, call.context.head_dim_v, false)) {}
};

}  // namespace

void QueryNoise::add_tile(const Panel& panel, int tile, const double* dp) {
    const auto mode = static_cast<std::size_t>(panel.mode);
    const Head& head = noise_.head;
    const int keys = panel.tile_keys_of(tile);
    const DpVariance dp_variance(call_);
    const double floor2 = call_.precision.operand_floor * call_.precision.operand_floor,
                 lost = call_.precision.accumulator_floor;
    const noise::Rows v =
        head.values_at(rows_.key_chunk(panel.mode) * head.geometry.chunk_len + tile * tile_keys, keys);
    double norms[tile_keys], p[tile_keys], variance[tile_keys];
    for (int j = 0; j < keys; ++j) {
        norms[j] = 0;
        for (int c = 0; c < dim_v_; ++c) norms[j] += v.row(j)[c] * v.row(j)[c];
    }
    const double* position = &noise_.key_position[static_cast<std::size_t>(tile * tile_keys)];
    for (int r = std::max(panel.first_row(tile), rows_.present.begin); r < std::min(panel.rows, rows_.present.end);
         ++r) {
        const RowFact& row = rows_.fact(r);
        RowSums& sum = sums(r);
        const int seen = panel.visible(r, tile);
        pair_row(noise_.coefficients(panel.position[static_cast<std::size_t>(r)]), seen, position,
                 panel.weights(tile) + r * tile_keys, panel.logits(tile) + r * tile_keys, row.scale[mode], row.lse, p,
                 variance);
        const double product = product_variance(r);
        const double operand = product + noise::rotated_operand_variance(call_);
        const double* x = dp + r * tile_keys;
        for (int j = 0; j < seen; ++j) {
            const double beside = x[j] - row.true_delta, ds = p[j] * beside, ds2 = ds * ds, p2 = p[j] * p[j];
            const double underflow = std::min(p[j], lost) * beside;
            sum.delta_of_keys += product * p2 * x[j] * x[j] + variance[j] * ds2;
            sum.dp_squared += x[j] * x[j];
            sum.weight += ds2 * (operand + variance[j]) + std::min(ds2, floor2) +
                          p2 * (dp_variance.norms * sum.dout_norm * norms[j] + dp_variance.square * x[j] * x[j]) +
                          underflow * underflow;
            sum.turned += ds2 * position[j] * position[j];
        }
    }
}

void QueryNoise::add_part(int r, Mode mode, const double* part, const double* angles, double position) {
    std::vector<double> energy(static_cast<std::size_t>(call_.energy.columns()));
    std::vector<double> plain(part, part + dim_);
    if (noise_.head.own_gradient()) {
        // From the dialect's weights and delta to those of the softmax over all keys.
        const RowFact& row = rows_.fact(r);
        const auto [scale, delta] = row_scale(row, mode, GradientOf::dialect);
        const double own = row.scale[static_cast<std::size_t>(mode)], ratio = scale > 0 ? own / scale : 0;
        const double moved = call_.context.softmax_scale * own * (delta - row.true_delta);
        const double* key = own > 0 ? key_sum(r, mode) : part;
        for (int e = 0; e < dim_; ++e) plain[static_cast<std::size_t>(e)] = ratio * part[e] + moved * key[e];
    }
    call_.context.rotations.add_transposed_query(angles, QueryIndex(rows_.index(r)), plain.data(), &dq_[at(r, dim_)]);
    call_.energy.measure(plain.data(), energy.data());
    for (std::size_t e = 0; e < energy.size(); ++e) part_energy_[at(r, call_.energy.columns()) + e] += energy[e];
    for (int k = 0; k < call_.energy.pairs(); ++k) {
        part_turned_[at(r, call_.energy.pairs()) + static_cast<std::size_t>(k)] +=
            position * position * energy[static_cast<std::size_t>(k)];
    }
}

/// The sums over far keys of p^2 g (dout . v - delta)^2 are quadratic forms in dout. var_S is taken at the largest lse
/// of the block: a logit never exceeds its row's lse, so its distance to a larger one is larger.
void QueryNoise::add_far_gradient(const AlignedBuffer& dout_left) {
    const tiles::Kernels& kernels = tiles::best();
    const Head& head = noise_.head;
    const DpVariance dp_variance(call_);
    const double floor2 = call_.precision.operand_floor * call_.precision.operand_floor;
    const double lost2 = call_.precision.accumulator_floor * call_.precision.accumulator_floor;
    const std::size_t size = at(padded_left(dim_v_), padded_v_);
    std::vector<double> matrix(size);
    AlignedBuffer right(tiles::right_size(dim_v_, dim_v_)), product(at(rows_.block.padded(), padded_v_));
    const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(dim_v_) * kernels.right_panel;
    for (const bool near : {true, false}) {
        std::vector<int> group;
        double lse = 0;
        for (int r = rows_.present.begin; r < rows_.present.end; ++r) {
            if (static_cast<bool>(rows_.near[static_cast<std::size_t>(r)]) != near || !meets_far(r)) continue;
            lse = group.empty() ? rows_.fact(r).lse : std::max(lse, rows_.fact(r).lse);
            group.push_back(r);
        }
        if (group.empty()) continue;
        const KeyMoments m = far_.before(far_chunks(group.front()));
        const int first = group.front() / tiles::row_alignment * tiles::row_alignment;
        const int rows = static_cast<int>(round_up(group.back() + 1, tiles::row_alignment)) - first;
        const double u = far_.u, with_variance[3] = {u * lse * lse, 1, -2 * u * lse};
        for (int form = 0; form < 3; ++form) {  // weights 1, var_S, P_k^2
            // Where all far keys have one var_S, and where P_k^2 is bounded, form 0 serves.
            const bool one_variance = far_.same_a >= 0;
            if ((form == 1 && one_variance) || (form == 2 && m.matrix(KeyMoments::with_position) == nullptr)) continue;
            const auto* one = m.matrix(KeyMoments::plain);
            const auto* with_a = m.matrix(KeyMoments::with_a);
            const auto* with_s = m.matrix(KeyMoments::with_s);
            const double *f = with_variance, *source = form == 0 ? one : m.matrix(KeyMoments::with_position);
            if (form == 1) {
                for (std::size_t e = 0; e < size; ++e) {
                    matrix[e] = f[0] * one[e] + f[1] * with_a[e] + (with_s == nullptr ? 0 : f[2] * with_s[e]);
                }
                source = matrix.data();
            }
            kernels.pack_right(false, dim_v_, dim_v_, source, padded_v_, right.data(), stride);
            kernels.multiply_packed(rows, padded_v_, dim_v_, dout_left.data() + at(first, dim_v_), right.data(), stride,
                                    product.data() + at(first, padded_v_), padded_v_, false);
            for (const int r : group) {
                const RowFact& row = rows_.fact(r);
                RowSums& sum = sums(r);
                const double* dout = head.dout(rows_.index(r), 1).data;
                const double* x = product.data() + static_cast<std::ptrdiff_t>(r) * padded_v_;
                double square = 0, linear = 0;
                for (int c = 0; c < dim_v_; ++c) {
                    square += x[c] * dout[c];
                    const double value = form == 0   ? m.vector(KeyMoments::values)[c]
                                         : form == 1 ? f[0] * m.vector(KeyMoments::values)[c] +
                                                           f[1] * m.vector(KeyMoments::a_values)[c] +
                                                           f[2] * m.vector(KeyMoments::s_values)[c]
                                                     : m.vector(KeyMoments::position_values)[c];
                    linear += value * dout[c];
                }
                const double one_sum = form == 0   ? m.w2()
                                       : form == 1 ? f[0] * m.w2() + f[1] * m.w2_a() + f[2] * m.w2_s()
                                                   : m.w2_position();
                const double scale2 = far_scale(r) * far_scale(r), delta = row.true_delta;
                const double ds2 = scale2 * std::max(0.0, square - 2 * delta * linear + delta * delta * one_sum);
                square = scale2 * std::max(0.0, square);
                if (form == 0) {
                    const double operand = product_variance(r) + noise::rotated_operand_variance(call_);
                    sum.delta_of_keys += product_variance(r) * square;
                    sum.dp_squared += sum.dout_norm * m.norm();
                    sum.weight += ds2 * operand + std::min(ds2, floor2 * m.count()) +
                                  dp_variance.norms * sum.dout_norm * scale2 * m.w2_norm() +
                                  dp_variance.square * square +
                                  std::min(ds2, 2 * lost2 * (sum.dout_norm * m.norm() + delta * delta * m.count()));
                    if (one_variance) sum.delta_of_keys += far_.same_a * ds2;
                    if (one_variance) sum.weight += far_.same_a * ds2;
                    if (m.matrix(KeyMoments::with_position) == nullptr) sum.turned += far_.position2 * ds2;
                } else if (form == 1) {
                    sum.delta_of_keys += ds2;
                    sum.weight += ds2;
                } else {
                    sum.turned += ds2;
                }
            }
        }
    }
}

void QueryNoise::finish_row(int r, ProbeResults& results) {
    const SequenceContext& c = call_.context;
    const RowSums& sum = sums(r);
    RowFact& row = rows_.fact(r);
    const double scale = c.softmax_scale * c.softmax_scale, floor = call_.precision.operand_floor * sum.largest_p;
    const double sum_depth = call_.accumulator_variance() * visible_keys(r) / 2, delta = row.true_delta;
    row.delta_variance = sum.delta_of_output + sum.delta_of_keys + floor * floor * sum.dp_squared +
                         sum_depth * delta * delta +
                         call_.accumulator_variance() *
                             noise::sum_variance(call_.profile, sum.dout_norm * sum.out_norm, delta, dim_v_, false);
    if (!results.sigma_dq) return;
    constexpr int roundings_of_part = 4;  // as in QueryGradientNoise
    std::vector<double> variance(static_cast<std::size_t>(dim_));
    double leading = 0;
    for (int e = 0; e < dim_; ++e) {
        const int column = call_.energy.column(e);
        const std::size_t place = at(r, call_.energy.columns()) + static_cast<std::size_t>(column);
        // add_part was given parts with the softmax scale in them.
        const double back = call_.back_squared(column), dq = dq_[at(r, dim_) + static_cast<std::size_t>(e)],
                     dq2 = dq * dq, mean = mean_back_[at(r, dim_) + static_cast<std::size_t>(e)];
        const double key_energy = scale * noise_.key_energy[static_cast<std::size_t>(column)];
        double turned = 0;
        if (column < call_.energy.pairs()) {
            const double f = call_.frequency[static_cast<std::size_t>(column)];
            turned = back * noise::angle_variance(call_, f).sum() * f * f *
                     (sum.turned * key_energy +
                      part_turned_[at(r, call_.energy.pairs()) + static_cast<std::size_t>(column)]);
        }
        const double keys = back * key_energy * sum.weight;
        const double shared = scale * row.delta_variance * mean * mean + row.lse_variance * dq2;
        const double parts = back * (part_energy_[place] + scale * row.delta_variance * mean_energy_[place]);
        const double rounding = call_.output_variance() * (roundings_of_part * parts + dq2) +
                                call_.output_floor_variance() * (all_modes.size() * roundings_of_part + 1);
        variance[static_cast<std::size_t>(e)] = keys + shared + rounding + sum_depth * dq2 + turned;
        leading += variance[static_cast<std::size_t>(e)];  // constant k: every error may lead
    }
    noise::widen(variance, leading, noise::gradient_row_line);
    std::transform(variance.begin(), variance.end(),
                   &(*results.sigma_dq)(c.sequence.batch, noise_.head.row(rows_.index(r)), noise_.head.head, 0),
                   noise::sigma_of);
}

void QueryNoise::finish_dq(const AlignedBuffer& dout_left, ProbeResults& results) {
    if (noise_.head.far.exists()) add_far_gradient(dout_left);
    for (int r = rows_.present.begin; r < rows_.present.end; ++r) finish_row(r, results);
}

}  // namespace dca::reference::probe
