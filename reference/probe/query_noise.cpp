#include "reference/probe/query_noise.hpp"

#include "reference/noise/output_noise.hpp"

#include <algorithm>
#include <cmath>

namespace dca::reference::probe {
namespace {

double squared_norm(const double* row, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += row[e] * row[e];
    return sum;
}

std::size_t at(int row, int columns) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns);
}

}  // namespace

QueryNoise::QueryNoise(const NoiseHead& noise, const FarKeyNoise& far, QueryBlock& rows)
    : noise_(noise),
      call_(noise.call),
      far_(far),
      rows_(rows),
      dim_(noise.head.context.head_dim),
      dim_v_(noise.head.context.head_dim_v),
      padded_v_(padded_right(dim_v_)),
      sums_(static_cast<std::size_t>(rows.block.rows)),
      squares_(at(rows.block.padded(), padded_v_)),
      logit_values_(at(rows.block.padded(), padded_v_)),
      far_energy_(at(rows.block.rows, dim_v_)),
      visible_values_(at(rows.block.rows, dim_v_)),
      part_values_(at(rows.block.rows, dim_v_)),
      part_shifts_(at(rows.block.rows, dim_v_)),
      mean_back_(at(rows.block.rows, dim_)),
      mean_energy_(at(rows.block.rows, call_.energy.columns())),
      dq_(at(rows.block.rows, dim_)),
      part_energy_(at(rows.block.rows, call_.energy.columns())),
      part_turned_(at(rows.block.rows, call_.energy.pairs())) {}

double QueryNoise::visible_keys(int r) const {
    return static_cast<double>(std::min(rows_.index(r) + 1, call_.context.key_count));
}

double QueryNoise::product_variance(int r) const {
    return call_.operand_variance() + call_.accumulator_variance() * visible_keys(r) / 2;
}

std::int64_t QueryNoise::far_chunks(int r) const {
    return rows_.chunk - (rows_.near[static_cast<std::size_t>(r)] ? 1 : 0);
}

double QueryNoise::far_scale(int r) {
    const RowFact& row = rows_.fact(r);
    return rows_.near[static_cast<std::size_t>(r)] ? row.scale[2] : std::max(row.scale[1], row.scale[2]);
}

/// Keys of one panel: p^2 (rounding of p and accumulated products + var_S) against v^2, and p^2 var_S against v.
void QueryNoise::add_near(const Panel& panel, bool channels) {
    const tiles::Kernels& kernels = tiles::best();
    const auto mode = static_cast<std::size_t>(panel.mode);
    const Head& head = noise_.head;
    const std::size_t size = static_cast<std::size_t>(panel.padded_rows) * tile_keys;
    AlignedBuffer weight(size), logit_weight(size), left(tiles::left_size(panel.rows, tile_keys));
    AlignedBuffer right(tiles::right_size(dim_v_, tile_keys));
    std::vector<double> squared(static_cast<std::size_t>(tile_keys * dim_v_)), norms(tile_keys);
    double p[tile_keys], variance[tile_keys];
    for (int tile = 0; tile < panel.tiles; ++tile) {
        const int keys = panel.tile_keys_of(tile), first = panel.first_row(tile), rows = panel.rows - first;
        if (rows <= 0) continue;
        const noise::Rows v =
            head.values_at(rows_.key_chunk(panel.mode) * head.geometry.chunk_len + tile * tile_keys, keys);
        for (int j = 0; j < keys; ++j) {
            for (int c = 0; c < dim_v_; ++c)
                squared[at(j, dim_v_) + static_cast<std::size_t>(c)] = v.row(j)[c] * v.row(j)[c];
            norms[static_cast<std::size_t>(j)] = squared_norm(v.row(j), dim_v_);
        }
        const double* position = &noise_.key_position[static_cast<std::size_t>(tile * tile_keys)];
        for (int r = std::max(first, rows_.present.begin); r < std::min(panel.rows, rows_.present.end); ++r) {
            const RowFact& row = rows_.fact(r);
            RowSums& sum = sums(r);
            const double *w = panel.weights(tile) + r * tile_keys, *s = panel.logits(tile) + r * tile_keys;
            double *x = weight.data() + r * tile_keys, *y = logit_weight.data() + r * tile_keys;
            const int seen = panel.visible(r, tile);
            pair_row(noise_.coefficients(panel.position[static_cast<std::size_t>(r)]), seen, position, w, s,
                     row.scale[mode], row.lse, p, variance);
            const double product = product_variance(r);
            for (int j = 0; j < seen; ++j) {
                y[j] = p[j] * p[j] * variance[j];
                x[j] = p[j] * p[j] * product + y[j];
            }
            std::fill(x + seen, x + tile_keys, 0.0);
            std::fill(y + seen, y + tile_keys, 0.0);
            for (int j = 0; j < seen; ++j) {
                sum.p_logit += p[j] * s[j];
                sum.p_squared_variance += y[j];
                sum.operand += (x[j] - y[j]) * norms[static_cast<std::size_t>(j)];
            }
        }
        if (!channels || add_bound(panel, tile, squared, weight.data(), logit_weight.data())) continue;
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(keys) * kernels.right_panel;
        const auto add = [&](const AlignedBuffer& weights, const double* source, std::ptrdiff_t source_stride,
                             AlignedBuffer& target) {
            kernels.pack_left(false, rows, keys, weights.data() + static_cast<std::ptrdiff_t>(first) * tile_keys,
                              tile_keys, left.data());
            kernels.pack_right(false, dim_v_, keys, source, source_stride, right.data(), stride);
            kernels.multiply_packed(panel.padded_rows - first, padded_v_, keys, left.data(), right.data(), stride,
                                    target.data() + static_cast<std::ptrdiff_t>(first) * padded_v_, padded_v_, true);
        };
        add(weight, squared.data(), dim_v_, squares_);
        add(logit_weight, v.data, v.stride, logit_values_);
    }
}

/// The near keys of a late row are a small part of it. By Cauchy and Schwarz the tile's sums of weight v^2 are at most
/// sqrt(sum weight^2 sum v^4), those of y v at most sqrt(sum y sum y v^2): used instead of the products where all tiles
/// together add at most near_bound to the variance of every row. False where they would add more.
bool QueryNoise::add_bound(const Panel& panel, int tile, const std::vector<double>& squared, const double* weight,
                           const double* logit_weight) {
    const int keys = panel.tile_keys_of(tile), begin = std::max(panel.first_row(tile), rows_.present.begin);
    const int tiles = (rows_.intra ? rows_.intra->tiles : 0) + (rows_.succ ? rows_.succ->tiles : 0);
    std::vector<double> fourth(static_cast<std::size_t>(dim_v_));
    for (int j = 0; j < keys; ++j) {
        const double* row = &squared[at(j, dim_v_)];
        for (int c = 0; c < dim_v_; ++c) fourth[static_cast<std::size_t>(c)] += row[c] * row[c];
    }
    for (double& x : fourth) x = std::sqrt(x);
    std::vector<double> bounds(static_cast<std::size_t>(rows_.block.rows) * fourth.size());
    for (int r = begin; r < std::min(panel.rows, rows_.present.end); ++r) {
        double weight2 = 0, logits = 0;
        for (int j = 0; j < keys; ++j) {
            weight2 += weight[r * tile_keys + j] * weight[r * tile_keys + j];
            logits += logit_weight[r * tile_keys + j];
        }
        const double of_weight = std::sqrt(weight2);
        for (int c = 0; c < dim_v_; ++c) {
            const std::size_t e = at(r, dim_v_) + static_cast<std::size_t>(c);
            const double bound = of_weight * fourth[static_cast<std::size_t>(c)];
            bounds[e] = bound + 2 * std::abs(rows_.out[e]) * std::sqrt(logits * bound);
            if (!(bounds[e] <= near_bound * far_energy_[e] / tiles)) return false;
        }
    }
    for (int r = begin; r < std::min(panel.rows, rows_.present.end); ++r) {
        double* squares = squares_.data() + static_cast<std::ptrdiff_t>(r) * padded_v_;
        for (int c = 0; c < dim_v_; ++c) squares[c] += bounds[at(r, dim_v_) + static_cast<std::size_t>(c)];
        sums(r).bounded = true;
    }
    return true;
}

void QueryNoise::add_far(int r) {
    const RowFact& row = rows_.fact(r);
    RowSums& sum = sums(r);
    const double scale = far_scale(r), scale2 = scale * scale, u = far_.u, lse = row.lse;
    const KeyMoments m = far_.before(far_chunks(r));
    const auto with_variance = [&](double a, double s, double one) {
        return scale2 * std::max(0.0, a - 2 * u * lse * s + u * lse * lse * one);
    };
    const double product = scale2 * product_variance(r);
    sum.p_logit += scale * m.logit();
    sum.p_squared_variance += with_variance(m.w2_a(), m.w2_s(), m.w2());
    sum.operand += product * m.w2_norm();
    double* squares = squares_.data() + static_cast<std::ptrdiff_t>(r) * padded_v_;
    double* values = logit_values_.data() + static_cast<std::ptrdiff_t>(r) * padded_v_;
    for (int c = 0; c < dim_v_; ++c) {
        squares[c] += product * m.vector(KeyMoments::squares)[c] + with_variance(m.vector(KeyMoments::a_squares)[c],
                                                                                 m.vector(KeyMoments::s_squares)[c],
                                                                                 m.vector(KeyMoments::squares)[c]);
        values[c] += scale2 * (m.vector(KeyMoments::a_values)[c] - 2 * u * lse * m.vector(KeyMoments::s_values)[c] +
                               u * lse * lse * m.vector(KeyMoments::values)[c]);
    }
}

/// sum w k~ of a mode that row r has keys in.
const double* QueryNoise::key_sum(int r, Mode mode) const {
    if (mode == Mode::intra) return &rows_.intra->key_sum[at(r, dim_)];
    if (mode == Mode::inter) return rows_.far_inter.key();
    return rows_.near[static_cast<std::size_t>(r)] ? &rows_.succ->key_sum[at(r, dim_)] : rows_.far_succ.key();
}

/// What the parts of a kernel that runs the modes apart add, and errors that all keys of a mode share.
void QueryNoise::add_modes(int r) {
    const SequenceContext& c = call_.context;
    const RowFact& row = rows_.fact(r);
    RowSums& sum = sums(r);
    const std::array<ModeSums, 3> modes = rows_.sums(r);
    const double* out = &rows_.out[at(r, dim_v_)];
    std::vector<double> key(static_cast<std::size_t>(dim_)), energy(static_cast<std::size_t>(call_.energy.columns()));
    for (const Mode mode : all_modes) {
        const auto m = static_cast<std::size_t>(mode);
        if (!modes[m].any()) continue;
        const double scale = row.scale[m], p = scale * modes[m].weight;
        if (p > 0) ++sum.modes;
        sum.largest_logit = std::max(sum.largest_logit, modes[m].shift);
        sum.largest_p = std::max(sum.largest_p, scale);
        for (int e = 0; e < dim_v_; ++e) {
            const double part = scale * modes[m].value[e], shift = part - p * out[e];
            part_values_[at(r, dim_v_) + static_cast<std::size_t>(e)] += part * part;
            part_shifts_[at(r, dim_v_) + static_cast<std::size_t>(e)] += shift * shift;
        }
        const Panel* panel = rows_.panel(mode);
        const bool near = mode == Mode::intra || (mode == Mode::succ && rows_.near[static_cast<std::size_t>(r)]);
        const double* k = key_sum(r, mode);
        const double* q = near ? &panel->query[at(r, dim_)] : noise_.head.far.query.data();
        const double position = near ? panel->position[static_cast<std::size_t>(r)] : noise_.head.geometry.far_position;
        const double* angles = near ? panel->angles.data() + static_cast<std::size_t>(r) * c.rotations.angles_size()
                                    : noise_.head.far.angles.data();
        for (int e = 0; e < dim_; ++e) key[static_cast<std::size_t>(e)] = scale * k[e];
        const double turn = noise::angle_variance(call_, 1).product * position * position;
        for (int pair = 0; pair < call_.energy.pairs(); ++pair) {
            const int a = call_.energy.first(pair), b = call_.energy.second(pair);
            const double f = call_.frequency[static_cast<std::size_t>(pair)];
            const double ka = key[static_cast<std::size_t>(a)], kb = key[static_cast<std::size_t>(b)];
            const double cross = q[a] * kb - q[b] * ka;
            sum.shared_lse +=
                call_.precision.rotated * noise_.query_energy[static_cast<std::size_t>(pair)] * (ka * ka + kb * kb) +
                turn * f * f * cross * cross;
        }
        c.rotations.add_transposed_query(angles, QueryIndex(rows_.index(r)), key.data(), &mean_back_[at(r, dim_)]);
        call_.energy.measure(key.data(), energy.data());
        for (std::size_t e = 0; e < energy.size(); ++e) mean_energy_[at(r, call_.energy.columns()) + e] += energy[e];
    }
}

void QueryNoise::finish_lse(int r, ProbeResults& results) {
    const RowSums& sum = sums(r);
    RowFact& row = rows_.fact(r);
    const double log_sum = row.lse - sum.largest_logit;
    row.lse_variance = sum.p_squared_variance + sum.shared_lse +
                       call_.common_logit_variance * sum.p_logit * sum.p_logit +
                       call_.accumulator_variance() * (std::max(1.0, row.lse * row.lse) + log_sum * log_sum +
                                                       2 * sum.p_logit * sum.p_logit + visible_keys(r) / 2);
    const Head& head = noise_.head;
    if (results.sigma_lse) {
        (*results.sigma_lse)(head.context.sequence.batch, head.head, head.row(rows_.index(r))) =
            noise::sigma_of(row.lse_variance);
    }
}

void QueryNoise::finish_out(int r, ProbeResults& results) {
    const RowSums& sum = sums(r);
    const RowFact& row = rows_.fact(r);
    const bool merged = sum.modes > 1;
    const double sum_depth = call_.accumulator_variance() * visible_keys(r) / 2;
    const double merge_weight = merged ? call_.accumulator_variance() * std::max(1.0, row.lse * row.lse) : 0;
    const double floor = call_.precision.operand_floor * sum.largest_p;
    const int roundings = merged ? 2 * sum.modes + 2 : 1;
    const Head& head = noise_.head;
    const double* dout = head.inputs.dout ? head.dout(rows_.index(r), 1).data : nullptr;
    std::vector<double> variance(static_cast<std::size_t>(dim_v_)), separate(static_cast<std::size_t>(dim_v_));
    double key_energy = 0, common = 0, floor_energy = 0, delta = 0;
    for (int c = 0; c < dim_v_; ++c) {
        const std::size_t e = at(r, dim_v_) + static_cast<std::size_t>(c);
        const double o = rows_.out[e], o2 = o * o;
        const double moved =
            o2 * sum.p_squared_variance - 2 * o * logit_values_.data()[static_cast<std::ptrdiff_t>(r) * padded_v_ + c];
        const double from_keys = std::clamp(squares_.data()[static_cast<std::ptrdiff_t>(r) * padded_v_ + c] + moved,
                                            0.0, visible_values_[e]);
        const double parts = merged ? 2 * part_values_[e] + o2 : 0;
        const double rounding = call_.output_variance() * (o2 + parts) + call_.output_floor_variance() * roundings;
        const double shared = sum_depth * o2 + merge_weight * part_shifts_[e];
        const double underflow = floor * floor * visible_values_[e];
        separate[static_cast<std::size_t>(c)] = rounding + sum_depth * o2;
        variance[static_cast<std::size_t>(c)] = from_keys + underflow + rounding + sum_depth * o2 + shared;
        key_energy += from_keys;
        common += shared;
        floor_energy += underflow;
        if (dout != nullptr) delta += dout[c] * dout[c] * (rounding + sum_depth * o2 + merge_weight * part_shifts_[e]);
    }
    sums(r).delta_of_output = delta;
    if (!results.sigma_out) return;
    // With constant k the errors of all logits may move together: their whole energy leads.
    const double operand_energy = std::min(sum.operand, key_energy);
    const double leading =
        (operand_energy + floor_energy) * noise_.v_concentration + (key_energy - operand_energy) +
        (sum.bounded ? 1 + near_bound : 1) * noise::leading_of_channels(separate, noise_.v_concentration) + common;
    noise::widen(variance, leading, noise::forward_row_line);
    std::transform(variance.begin(), variance.end(),
                   &(*results.sigma_out)(head.context.sequence.batch, head.row(rows_.index(r)), head.head, 0),
                   noise::sigma_of);
}

void QueryNoise::finish_forward(ProbeResults& results) {
    const Head& head = noise_.head;
    for (int r = rows_.present.begin; r < rows_.present.end; ++r) {
        RowSums& sum = sums(r);
        sum.out_norm = squared_norm(&rows_.out[at(r, dim_v_)], dim_v_);
        if (head.inputs.dout) sum.dout_norm = squared_norm(head.dout(rows_.index(r), 1).data, dim_v_);
        if (!meets_far(r)) continue;
        add_far(r);
        const std::size_t row = at(r, padded_v_);
        for (int c = 0; c < dim_v_; ++c) {
            const auto e = row + static_cast<std::size_t>(c);
            const double o = rows_.out[at(r, dim_v_) + static_cast<std::size_t>(c)];
            const double moved = o * o * sum.p_squared_variance - 2 * o * logit_values_.data()[e];
            far_energy_[at(r, dim_v_) + static_cast<std::size_t>(c)] = std::max(0.0, squares_.data()[e] + moved);
        }
    }
    for (const Panel* panel : {rows_.intra.get(), rows_.succ.get()}) {
        if (panel != nullptr) add_near(*panel, results.sigma_out.has_value());
    }
    const noise::Rows own = head.values(rows_.chunk);
    std::vector<double> visible(far_.all_squares(rows_.chunk), far_.all_squares(rows_.chunk) + dim_v_);
    int summed = 0;
    for (int r = 0; r < rows_.present.end; ++r) {
        for (; summed < std::min<std::int64_t>(own.rows, rows_.block.first + r + 1); ++summed) {
            for (int c = 0; c < dim_v_; ++c)
                visible[static_cast<std::size_t>(c)] += own.row(summed)[c] * own.row(summed)[c];
        }
        if (r < rows_.present.begin) continue;
        std::copy(visible.begin(), visible.end(), &visible_values_[at(r, dim_v_)]);
        add_modes(r);
        finish_lse(r, results);
        finish_out(r, results);
    }
}

}  // namespace dca::reference::probe
