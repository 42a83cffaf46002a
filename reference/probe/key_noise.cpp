#include "reference/probe/key_noise.hpp"

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

double squared_norm(const double* row, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += row[e] * row[e];
    return sum;
}

}  // namespace

KeyNoise::KeyNoise(std::vector<OfHead> heads, std::int64_t chunk, bool dk, bool dv)
    : heads_(std::move(heads)), chunk_(chunk), call_(heads_.front().noise->call), dk_(dk), dv_(dv) {
    const Head& head = heads_.front().noise->head;
    keys_ = head.geometry.keys_in(chunk);
    dim_ = head.context.head_dim;
    dim_v_ = head.context.head_dim_v;
    padded_v_ = padded_right(dim_v_);
    sums_.resize(static_cast<std::size_t>(keys_));
    k_energy_.resize(at(keys_, call_.energy.columns()));
    k_parts_.resize(at(keys_, call_.energy.columns()));
    k_turned_.resize(at(keys_, call_.energy.pairs()));
    v_parts_.resize(at(keys_, dim_v_));
    v_energy_ = AlignedBuffer(at(static_cast<int>(round_up(keys_, tile_keys)), padded_v_));
    const noise::Rows v = head.values(chunk);
    for (int t = 0; t < keys_; ++t) v_norm_.push_back(squared_norm(v.row(t), dim_v_));
}

const KeyNoise::OfHead& KeyNoise::of(const Head& head) const {
    return *std::find_if(heads_.begin(), heads_.end(), [&](const OfHead& one) { return &one.noise->head == &head; });
}

/// Rows that see the key, over all query heads of the group.
double KeyNoise::queries(int t) const {
    const Sequence& s = call_.context.sequence;
    const std::int64_t j = chunk_ * heads_.front().noise->head.geometry.chunk_len + t;
    const std::int64_t rows = s.offset + s.query_count() - std::max(j, s.offset);
    return static_cast<double>(std::max<std::int64_t>(0, rows) * call_.context.group);
}

double KeyNoise::operand(int t) const {
    return call_.operand_variance() + call_.accumulator_variance() * queries(t) / 2;
}

void KeyNoise::begin_head(const Head& head) {
    if (head.far.exists()) add_far(of(head));
}

void KeyNoise::begin_block(const Head& head, const Panel& panel, const Block& block, std::int64_t query_chunk,
                           const std::vector<double>& dout) {
    head_ = &of(head);
    panel_ = &panel;
    present_ = head.geometry.present(block, query_chunk);
    first_index_ = query_chunk * head.geometry.chunk_len + block.first;
    dout_norm_.clear();
    for (int r = 0; r < block.rows; ++r) dout_norm_.push_back(squared_norm(&dout[at(r, dim_v_)], dim_v_));
    v_weight_ = AlignedBuffer(at(panel.padded_rows, tile_keys));
    if (!dv_) return;
    left_ = AlignedBuffer(tiles::left_size(tile_keys, panel.padded_rows));
    std::vector<double> squared(dout.size());
    std::transform(dout.begin(), dout.end(), squared.begin(), [](double x) { return x * x; });
    fourth_.assign(static_cast<std::size_t>(dim_v_), 0.0);
    for (std::size_t e = 0; e < squared.size(); ++e) {
        fourth_[e % static_cast<std::size_t>(dim_v_)] += squared[e] * squared[e];
    }
    for (double& x : fourth_) x = std::sqrt(x);
    const tiles::Kernels& kernels = tiles::best();
    dout_squared_ = AlignedBuffer(tiles::right_size(dim_v_, block.rows));
    kernels.pack_right(false, dim_v_, block.rows, squared.data(), dim_v_, dout_squared_.data(),
                       static_cast<std::ptrdiff_t>(block.rows) * kernels.right_panel);
}

void KeyNoise::add_tile(int tile, const double* dp) {
    const NoiseHead& noise = *head_->noise;
    const int keys = panel_->tile_keys_of(tile), first = panel_->first_row(tile), below = panel_->rows - first,
              start = tile * tile_keys;
    const auto mode = static_cast<std::size_t>(panel_->mode);
    const double floor2 = call_.precision.operand_floor * call_.precision.operand_floor,
                 lost = call_.precision.accumulator_floor;
    const double unit = call_.accumulator_variance();
    const double dp_norms = unit * noise::sum_variance(call_.profile, 1, 0, dim_v_, false),
                 dp_square = unit * noise::sum_variance(call_.profile, 0, 1, dim_v_, false);
    double p[tile_keys], variance[tile_keys], operands[tile_keys],
        weight[tile_keys] = {}, ds_squared[tile_keys] = {}, turned[tile_keys] = {}, rounded[tile_keys] = {},
        carried_sum[tile_keys] = {}, carried_squared[tile_keys] = {};
    for (int j = 0; j < keys; ++j) operands[j] = operand(start + j);
    const double* position = &noise.key_position[static_cast<std::size_t>(start)];
    const double* v_norm = &v_norm_[static_cast<std::size_t>(start)];
    for (int r = std::max(first, present_.begin); r < present_.end; ++r) {
        const RowFact& row = noise.head.fact(first_index_ + r);
        const int seen = panel_->visible(r, tile);
        const double query_position = panel_->position[static_cast<std::size_t>(r)],
                     position2 = query_position * query_position;
        pair_row(noise.coefficients(query_position), seen, position, panel_->weights(tile) + r * tile_keys,
                 panel_->logits(tile) + r * tile_keys, row.scale[mode], row.lse, p, variance);
        const double dout_norm = dout_norm_[static_cast<std::size_t>(r)], norms = dp_norms * dout_norm;
        const double* x = dp + r * tile_keys;
        double* v_row = v_weight_.data() + r * tile_keys;
        std::fill(v_row + seen, v_row + tile_keys, 0.0);
        for (int j = 0; j < seen; ++j) {
            const double beside = x[j] - row.true_delta, ds = p[j] * beside, ds2 = ds * ds, p2 = p[j] * p[j];
            const double carried = variance[j] + row.lse_variance, underflow = std::min(p[j], lost) * beside;
            weight[j] += ds2 * carried + std::min(ds2, floor2) +
                         p2 * (row.delta_variance + norms * v_norm[j] + dp_square * x[j] * x[j]) +
                         underflow * underflow;
            ds_squared[j] += ds2;
            turned[j] += ds2 * position2;
            const double of_p = p2 * operands[j] + std::min(p2, floor2);
            v_row[j] = of_p + p2 * carried;
            rounded[j] += of_p * dout_norm;
            const double share = p2 * carried * dout_norm;
            carried_sum[j] += share;
            carried_squared[j] += share * share;
        }
    }
    for (int j = 0; j < keys; ++j) {
        KeySums& sum = sums_[static_cast<std::size_t>(start + j)];
        sum.weight += weight[j];
        sum.ds_squared += ds_squared[j];
        sum.turned += turned[j];
        sum.rounded += rounded[j];
        sum.carried += carried_sum[j];
        sum.carried_squared += carried_squared[j];
    }
    if (!dv_ || add_bound(start, keys, first)) return;
    const tiles::Kernels& kernels = tiles::best();
    kernels.pack_left(true, keys, below, v_weight_.data() + static_cast<std::ptrdiff_t>(first) * tile_keys, tile_keys,
                      left_.data());
    kernels.multiply_packed(static_cast<int>(round_up(keys, tiles::row_alignment)), padded_v_, below, left_.data(),
                            dout_squared_.data() + static_cast<std::ptrdiff_t>(first) * kernels.right_panel,
                            static_cast<std::ptrdiff_t>(panel_->rows) * kernels.right_panel,
                            v_energy_.data() + static_cast<std::ptrdiff_t>(start) * padded_v_, padded_v_, true);
}

/// As QueryNoise::add_bound: the rows near a key are a small part of those that see it, but for the last ones.
bool KeyNoise::add_bound(int start, int keys, int first_row) {
    const Geometry& g = head_->noise->head.geometry;
    // Blocks of the key's own chunk and of the next one, over all heads of the group.
    const double blocks =
        2.0 * static_cast<double>((g.chunk_len + block_rows - 1) / block_rows) * static_cast<double>(heads_.size());
    double weight2[tile_keys] = {};
    for (int r = first_row; r < panel_->rows; ++r) {
        const double* row = v_weight_.data() + r * tile_keys;
        for (int j = 0; j < keys; ++j) weight2[j] += row[j] * row[j];
    }
    for (int j = 0; j < keys; ++j) {
        const double* energy = v_energy_.data() + at(start + j, padded_v_);
        const double weight = std::sqrt(weight2[j]) * blocks / near_bound;
        for (int c = 0; c < dim_v_; ++c) {
            if (!(weight * fourth_[static_cast<std::size_t>(c)] <= energy[c])) return false;
        }
    }
    for (int j = 0; j < keys; ++j) {
        double* energy = v_energy_.data() + at(start + j, padded_v_);
        const double weight = std::sqrt(weight2[j]);
        sums_[static_cast<std::size_t>(start + j)].bounded = true;
        for (int c = 0; c < dim_v_; ++c) energy[c] += weight * fourth_[static_cast<std::size_t>(c)];
    }
    return true;
}

/// Far rows: the sums over rows of p^2 g (dout . v - delta)^2 are quadratic forms in v.
void KeyNoise::add_far(const OfHead& head) {
    const NoiseHead& noise = *head.noise;
    const RowMoments m = head.far_rows->of(chunk_);
    if (m[RowMoments::count] == 0) return;
    const tiles::Kernels& kernels = tiles::best();
    const FarKeys& far = noise.head.far;
    // Where u is 0, nothing depends on l; where b is small beside var_S, its largest value stands for all.
    const double u = head.far_keys->u, largest_b = m.largest_b;
    const bool small_b = u == 0 && largest_b <= far_bound * head.far_keys->least_a;
    const double unit = call_.accumulator_variance(), dv = dim_v_;
    const double floor2 = call_.precision.operand_floor * call_.precision.operand_floor;
    const double lost2 = call_.precision.accumulator_floor * call_.precision.accumulator_floor;
    const double position = noise.head.geometry.far_position;
    const noise::Rows v = noise.head.values(chunk_);
    std::vector<double> forms(3 * static_cast<std::size_t>(keys_));  // v^T matrix v - 2 v . vector
    std::vector<double> plain(static_cast<std::size_t>(keys_));
    if (dk_) {
        AlignedBuffer left(tiles::left_size(keys_, dim_v_)), right(tiles::right_size(dim_v_, dim_v_));
        AlignedBuffer product(at(static_cast<int>(round_up(keys_, tiles::row_alignment)), padded_v_));
        kernels.pack_left(false, keys_, dim_v_, v.data, v.stride, left.data());
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(dim_v_) * kernels.right_panel;
        constexpr RowMoments::Matrix matrices[] = {RowMoments::z_matrix, RowMoments::zl_matrix, RowMoments::zb_matrix};
        constexpr RowMoments::Vector vectors[] = {RowMoments::z_values, RowMoments::zl_values, RowMoments::zb_values};
        for (std::size_t n = 0; n < 3; ++n) {
            if ((n == 1 && u == 0) || (n == 2 && small_b)) continue;
            kernels.pack_right(false, dim_v_, dim_v_, m.matrix(matrices[n]), padded_v_, right.data(), stride);
            kernels.multiply_packed(static_cast<int>(round_up(keys_, tiles::row_alignment)), padded_v_, dim_v_,
                                    left.data(), right.data(), stride, product.data(), padded_v_, false);
            for (int t = 0; t < keys_; ++t) {
                double square = 0, linear = 0;
                for (int c = 0; c < dim_v_; ++c) {
                    square += product.data()[at(t, padded_v_) + static_cast<std::size_t>(c)] * v.row(t)[c];
                    linear += m.vector(vectors[n])[c] * v.row(t)[c];
                }
                forms[n * static_cast<std::size_t>(keys_) + static_cast<std::size_t>(t)] = square - 2 * linear;
                if (n == 0) plain[static_cast<std::size_t>(t)] = std::max(0.0, square);
            }
        }
    }
    for (int t = 0; t < keys_; ++t) {
        const auto place = static_cast<std::size_t>(t);
        KeySums& sum = sums_[place];
        const double w = far.weights[place], w2 = w * w, s = far.logits[place], a = head.far_keys->a[place],
                     v_norm = v_norm_[place];
        const auto with_variance = [&](double z, double zl, double zb) {
            return w2 * std::max(0.0, a * z - 2 * u * s * zl + zb);
        };
        if (dk_) {
            const double f = std::max(0.0, forms[place] + m[RowMoments::z_delta2]);
            const double fl = forms[static_cast<std::size_t>(keys_) + place] + m[RowMoments::zl_delta2];
            const double fb =
                small_b ? largest_b * f : forms[2 * static_cast<std::size_t>(keys_) + place] + m[RowMoments::zb_delta2];
            const double ds2 = w2 * f;
            sum.weight += with_variance(f, fl, fb) + std::min(ds2, floor2 * m[RowMoments::count]) +
                          w2 * (m[RowMoments::z_inherited] +
                                unit * ((0.5 + 1 / dv) * v_norm * m[RowMoments::z_norm] + dv / 2 * plain[place])) +
                          std::min(ds2, 2 * lost2 * (v_norm * m[RowMoments::norm] + m[RowMoments::delta2]));
            sum.ds_squared += ds2;
            sum.turned += ds2 * position * position;
        }
        if (!dv_) continue;
        double* energy = v_energy_.data() + at(t, padded_v_);
        for (int c = 0; c < dim_v_; ++c) {
            const double z = m.vector(RowMoments::z_squares)[c];
            energy[c] += w2 * operand(t) * z +
                         with_variance(z, m.vector(RowMoments::zl_squares)[c], m.vector(RowMoments::zb_squares)[c]) +
                         std::min(w2 * z, floor2 * m.vector(RowMoments::squares)[c]);
        }
        const double z = m[RowMoments::z_norm];
        sum.rounded += w2 * operand(t) * z + std::min(w2 * z, floor2 * m[RowMoments::norm]);
        sum.carried += with_variance(z, m[RowMoments::zl_norm], m[RowMoments::zb_norm]);
        const double sl = 2 * u * s;  // (a + b - sl l)^2
        sum.carried_squared +=
            w2 * w2 *
            std::max(0.0, a * a * m[RowMoments::y] + m[RowMoments::ybb] + sl * sl * m[RowMoments::yll] +
                              2 * a * m[RowMoments::yb] - 2 * a * sl * m[RowMoments::yl] - 2 * sl * m[RowMoments::ybl]);
    }
}

void KeyNoise::end_head(const OfHead& head) {
    const NoiseHead& noise = *head.noise;
    const int columns = call_.energy.columns(), pairs = call_.energy.pairs();
    for (int t = 0; t < keys_; ++t) {
        KeySums& sum = sums_[static_cast<std::size_t>(t)];
        const double weight = sum.weight + sum.ds_squared * (operand(t) + noise::rotated_operand_variance(call_));
        for (int e = 0; e < columns; ++e)
            k_energy_[at(t, columns) + static_cast<std::size_t>(e)] +=
                weight * noise.query_energy[static_cast<std::size_t>(e)];
        for (int k = 0; k < pairs; ++k)
            k_turned_[at(t, pairs) + static_cast<std::size_t>(k)] +=
                sum.turned * noise.query_energy[static_cast<std::size_t>(k)];
        sum.weight = sum.ds_squared = sum.turned = 0;
    }
}

void KeyNoise::add_part(const FinishedHead& finished, Mode mode, const KeyChunk::Part& part) {
    const int columns = call_.energy.columns(), padded_d = padded_right(dim_);
    std::vector<double> energy(static_cast<std::size_t>(columns));
    for (int t = 0; t < keys_; ++t) {
        call_.energy.measure(part.dk.data() + at(t, padded_d), energy.data());
        for (int e = 0; e < columns; ++e)
            k_parts_[at(t, columns) + static_cast<std::size_t>(e)] += energy[static_cast<std::size_t>(e)];
        const double* dv = part.dv.data() + at(t, padded_v_);
        for (int c = 0; c < dim_v_; ++c) v_parts_[at(t, dim_v_) + static_cast<std::size_t>(c)] += dv[c] * dv[c];
    }
    ++parts_;
    if (mode == Mode::inter) end_head(of(*finished.head));
}

void KeyNoise::finish_dk(int t, const double* rotated, const double* back, float* sigma) const {
    constexpr int rotation_roundings = 3;  // as in KeyGradientNoise
    std::vector<double> total(static_cast<std::size_t>(call_.energy.columns())),
        variance(static_cast<std::size_t>(dim_));
    call_.energy.measure(rotated, total.data());
    const double position = heads_.front().noise->key_position[static_cast<std::size_t>(t)];
    const double unit = call_.accumulator_variance() * queries(t);
    double leading = 0;
    for (int e = 0; e < dim_; ++e) {
        const auto column = static_cast<std::size_t>(call_.energy.column(e));
        const std::size_t place = at(t, call_.energy.columns()) + column;
        const double factor = call_.back_squared(static_cast<int>(column)), dk2 = back[e] * back[e];
        const double rounding =
            call_.output_variance() * (factor * (2 * k_parts_[place] + rotation_roundings * total[column]) + dk2) +
            call_.output_floor_variance() * (parts_ + rotation_roundings + 1);
        double turned = 0;
        if (static_cast<int>(column) < call_.energy.pairs()) {
            const double f = call_.frequency[column];
            turned = factor * noise::angle_variance(call_, f).sum() * f * f *
                     (k_turned_[at(t, call_.energy.pairs()) + column] + position * position * total[column]);
        }
        variance[static_cast<std::size_t>(e)] = factor * k_energy_[place] + rounding + unit / 2 * dk2 + turned;
        leading += variance[static_cast<std::size_t>(e)];  // constant q: every error may lead
    }
    noise::widen(variance, leading, noise::gradient_row_line);
    std::transform(variance.begin(), variance.end(), sigma, noise::sigma_of);
}

void KeyNoise::finish_dv(int t, const double* dv, float* sigma) const {
    double dout_concentration = 0;
    for (const OfHead& head : heads_) dout_concentration = std::max(dout_concentration, head.noise->dout_concentration);
    std::vector<double> variance(static_cast<std::size_t>(dim_v_)), separate(variance.size());
    const double unit = call_.accumulator_variance() * queries(t);
    double from_queries = 0;
    for (int c = 0; c < dim_v_; ++c) {
        const double square = dv[c] * dv[c], energy = v_energy_.data()[at(t, padded_v_) + static_cast<std::size_t>(c)];
        const double rounding =
            call_.output_variance() * (2 * v_parts_[at(t, dim_v_) + static_cast<std::size_t>(c)] + square) +
            call_.output_floor_variance() * (parts_ + 1);
        separate[static_cast<std::size_t>(c)] = rounding + unit / 2 * square;
        variance[static_cast<std::size_t>(c)] = energy + separate[static_cast<std::size_t>(c)];
        from_queries += energy;
    }
    const KeySums& sum = sums_[static_cast<std::size_t>(t)];
    noise::ScoreShares shares;
    shares.rounded = sum.rounded;
    shares.carried = {sum.carried, sum.carried_squared};
    const double leading =
        from_queries * shares.leading(dout_concentration, 0) +
        (sum.bounded ? 1 + near_bound : 1 + far_bound) * noise::leading_of_channels(separate, dout_concentration);
    noise::widen(variance, leading, noise::gradient_row_line);
    std::transform(variance.begin(), variance.end(), sigma, noise::sigma_of);
}

void KeyNoise::finish(int t, const double* dk_rotated, const double* dk_back, const double* dv, ProbeResults& results) {
    if (queries(t) == 0) return;
    const Head& head = heads_.front().noise->head;
    const std::int64_t b = call_.context.sequence.batch;
    const std::int64_t key = call_.context.sequence.key_begin + chunk_ * head.geometry.chunk_len + t;
    if (results.sigma_dk) finish_dk(t, dk_rotated, dk_back, &(*results.sigma_dk)(b, key, head.kv_head, 0));
    if (results.sigma_dv) finish_dv(t, dv, &(*results.sigma_dv)(b, key, head.kv_head, 0));
}

}  // namespace dca::reference::probe
