#include "reference/probe/query_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/math/natural_log.hpp"
#include "reference/noise/tie_noise.hpp"
#include "reference/probe/query_noise.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference::probe {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

double exp_of(double nonpositive) {
    tiles::best().exp_minus(&nonpositive, 1, 0.0);
    return nonpositive;
}

double dot(const double* a, const double* b, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += a[e] * b[e];
    return sum;
}

}  // namespace

QueryBlock::QueryBlock(Head& h, std::int64_t c, const Block& b)
    : head(h), chunk(c), block(b), present(h.geometry.present(b, c)), padded_v_(padded_right(h.context.head_dim_v)) {
    const Geometry& g = head.geometry;
    bool any_near = false;
    for (int r = 0; r < block.rows; ++r) {
        near.push_back(g.near(block.first + r));
        any_near = any_near || near.back();
    }
    if (const int keys = g.keys_in(chunk); keys > 0) intra = head.panels.get(block, Mode::intra, keys);
    const int keys_before = chunk > 0 ? g.keys_in(chunk - 1) : 0;
    if (keys_before > 0 && any_near) succ = head.panels.get(block, Mode::succ, keys_before);
    if (keys_before > 0 && head.far.exists()) far_succ = head.far.in_chunk(chunk - 1);
    if (chunk > 1 && head.far.exists()) far_inter = head.far.before(chunk - 1);
}

std::array<ModeSums, 3> QueryBlock::sums(int r) const {
    std::array<ModeSums, 3> modes;
    const auto at = static_cast<std::size_t>(r);
    const auto offset = static_cast<std::ptrdiff_t>(r) * padded_v_;
    if (intra) modes[0] = {intra->weight_sum[at], intra->shift[at], intra_numerators_.data() + offset};
    if (near[at] && succ) modes[1] = {succ->weight_sum[at], succ->shift[at], succ_numerators_.data() + offset};
    if (!near[at] && far_succ.at) modes[1] = {far_succ.weight(), head.far.shift, far_succ.value()};
    if (far_inter.at) modes[2] = {far_inter.weight(), head.far.shift, far_inter.value()};
    return modes;
}

void QueryBlock::add_numerators(const Panel& panel, std::int64_t key_chunk, AlignedBuffer& numerators) const {
    const tiles::Kernels& kernels = tiles::best();
    numerators = AlignedBuffer(static_cast<std::size_t>(panel.padded_rows) * static_cast<std::size_t>(padded_v_));
    AlignedBuffer right(tiles::right_size(head.context.head_dim_v, tile_keys));
    for (int tile = 0; tile < panel.tiles; ++tile) {
        const int keys = panel.tile_keys_of(tile), first = panel.first_row(tile);
        const noise::Rows v = head.values_at(key_chunk * head.geometry.chunk_len + tile * tile_keys, keys);
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(keys) * kernels.right_panel;
        kernels.pack_right(false, v.columns, keys, v.data, v.stride, right.data(), stride);
        kernels.multiply_packed(panel.padded_rows - first, padded_v_, keys, panel.packed(tile), right.data(), stride,
                                numerators.data() + static_cast<std::ptrdiff_t>(first) * padded_v_, padded_v_, true);
    }
}

void QueryBlock::forward(ProbeResults& results) {
    if (intra) add_numerators(*intra, chunk, intra_numerators_);
    if (succ) add_numerators(*succ, chunk - 1, succ_numerators_);
    out.assign(static_cast<std::size_t>(block.rows) * head.context.head_dim_v, 0.0);
    for (int r = present.begin; r < present.end; ++r) finish_row(r, results);
}

/// Row of several parts as the dialect merges them, and the weights of its backward pass.
void QueryBlock::merge_row(int r, const std::array<ModeSums, 3>& sums, double* row_out) {
    const int dv = head.context.head_dim_v;
    RowFact& row = fact(r);
    PerMode lse{minus_infinity, minus_infinity, minus_infinity};
    int present_parts = 0;
    for (std::size_t m = 0; m < sums.size(); ++m) {
        if (!sums[m].any()) continue;
        lse[m] = sums[m].shift + natural_log(sums[m].weight);
        ++present_parts;
    }
    const auto other_way = [&](const TieFlip& flip) {
        const double sigma = flip.sigma_lse(head.context.sequence.batch, head.head, head.row(index(r)));
        return head.merge.weights_across(lse, flip.mode, tie_width_in_sigma * sigma);
    };
    const PerMode weights = head.flip == nullptr ? head.merge.weights(lse) : other_way(*head.flip);
    std::vector<double> part(static_cast<std::size_t>(dv));
    for (std::size_t m = 0; m < sums.size(); ++m) {
        if (!sums[m].any()) continue;
        for (int c = 0; c < dv; ++c) part[static_cast<std::size_t>(c)] = sums[m].value[c] / sums[m].weight;
        if (head.inputs.dout && head.detached) row.delta[m] = dot(head.dout(index(r), 1).data, part.data(), dv);
        if (present_parts == 1) {
            std::copy(part.begin(), part.end(), row_out);
        } else {
            head.merge.add_products(weights[m], part.data(), dv, row_out);
        }
        if (head.merge.rounds_weights()) row.merged_scale[m] = weights[m] / sums[m].weight;
    }
}

void QueryBlock::finish_row(int r, ProbeResults& results) {
    const int dv = head.context.head_dim_v;
    const std::array<ModeSums, 3> modes = sums(r);
    double shift = minus_infinity, total = 0;
    for (const ModeSums& mode : modes) shift = mode.any() ? std::max(shift, mode.shift) : shift;
    PerMode rescale{};
    for (std::size_t m = 0; m < modes.size(); ++m) {
        if (!modes[m].any()) continue;
        rescale[m] = exp_of(modes[m].shift - shift);
        total += rescale[m] * modes[m].weight;
    }
    RowFact& row = fact(r);
    const std::int64_t b = head.context.sequence.batch, place = head.row(index(r));
    row.lse = shift + natural_log(total);
    if (!std::isfinite(row.lse)) {
        throw InvalidProblem("the logits of batch " + std::to_string(b) + ", head " + std::to_string(head.head) +
                             ", row " + std::to_string(place) + " overflow double precision");
    }
    double* row_out = &out[static_cast<std::size_t>(r) * static_cast<std::size_t>(dv)];
    for (std::size_t m = 0; m < modes.size(); ++m) row.scale[m] = rescale[m] / total;
    row.merged_scale = row.scale;
    if (head.merge.parts() || (head.inputs.dout && head.detached)) {
        std::vector<double> merged(static_cast<std::size_t>(dv));
        merge_row(r, modes, merged.data());
        if (head.merge.parts()) std::copy(merged.begin(), merged.end(), row_out);
    }
    if (!head.merge.parts()) {
        for (std::size_t m = 0; m < modes.size(); ++m) {
            if (!modes[m].any()) continue;
            for (int c = 0; c < dv; ++c) row_out[c] += rescale[m] * modes[m].value[c];
        }
        for (int c = 0; c < dv; ++c) row_out[c] /= total;
    }
    if (head.inputs.dout) {
        row.true_delta = dot(head.dout(index(r), 1).data, row_out, dv);
        if (!head.detached) row.delta.fill(row.true_delta);
    }
    if (results.out) std::copy_n(row_out, dv, &(*results.out)(b, place, head.head, 0));
    if (results.lse) (*results.lse)(b, head.head, place) = row.lse;
}

AlignedBuffer packed_dout(const Head& head, std::int64_t first_index, const Block& block,
                          const Geometry::Present& present, std::vector<double>* copy) {
    const auto dv = static_cast<std::size_t>(head.context.head_dim_v);
    std::vector<double> rows(static_cast<std::size_t>(block.rows) * dv);
    const noise::Rows dout = head.dout(first_index + present.begin, present.end - present.begin);
    for (int r = present.begin; r < present.end; ++r) {
        std::copy_n(dout.row(r - present.begin), dv, &rows[static_cast<std::size_t>(r) * dv]);
    }
    AlignedBuffer left(tiles::left_size(block.rows, static_cast<int>(dv)));
    tiles::best().pack_left(false, block.rows, static_cast<int>(dv), rows.data(), static_cast<std::ptrdiff_t>(dv),
                            left.data());
    if (copy != nullptr) *copy = std::move(rows);
    return left;
}

/// dq~ of the keys of one panel: ds = p (dout . v - delta), tile by tile, times k~.
void QueryBlock::near_dq(const Panel& panel, const AlignedBuffer& dout_left, QueryNoise* noise, AlignedBuffer& dq) {
    const tiles::Kernels& kernels = tiles::best();
    const int d = head.context.head_dim, dv = head.context.head_dim_v, padded_d = padded_right(d);
    AlignedBuffer v_right(tiles::right_size(tile_keys, dv)), k_right(tiles::right_size(d, tile_keys));
    AlignedBuffer dp(static_cast<std::size_t>(panel.padded_rows) * tile_keys),
        ds(static_cast<std::size_t>(panel.padded_rows) * tile_keys);
    AlignedBuffer ds_left(tiles::left_size(panel.rows, tile_keys));
    for (int tile = 0; tile < panel.tiles; ++tile) {
        const int keys = panel.tile_keys_of(tile), first = panel.first_row(tile), rows = panel.rows - first;
        if (rows <= 0) continue;
        const noise::Rows v = head.values_at(key_chunk(panel.mode) * head.geometry.chunk_len + tile * tile_keys, keys);
        const int columns = static_cast<int>(round_up(keys, tiles::column_alignment));
        kernels.pack_right(true, keys, dv, v.data, v.stride, v_right.data(),
                           static_cast<std::ptrdiff_t>(dv) * kernels.right_panel);
        kernels.multiply_packed(panel.padded_rows - first, columns, dv,
                                dout_left.data() + static_cast<std::ptrdiff_t>(first) * dv, v_right.data(),
                                static_cast<std::ptrdiff_t>(dv) * kernels.right_panel,
                                dp.data() + static_cast<std::ptrdiff_t>(first) * tile_keys, tile_keys, false);
        for (int r = std::max(first, present.begin); r < std::min(present.end, panel.rows); ++r) {
            const auto [scale, delta] = row_scale(fact(r), panel.mode, GradientOf::dialect);
            const double *w = panel.weights(tile) + r * tile_keys, *p = dp.data() + r * tile_keys;
            double* s = ds.data() + r * tile_keys;
            for (int j = 0; j < keys; ++j) s[j] = scale * w[j] * (p[j] - delta);
        }
        if (noise != nullptr) noise->add_tile(panel, tile, dp.data());
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(keys) * kernels.right_panel;
        kernels.pack_right(false, d, keys, head.geometry.key(tile * tile_keys), d, k_right.data(), stride);
        kernels.pack_left(false, rows, keys, ds.data() + static_cast<std::ptrdiff_t>(first) * tile_keys, tile_keys,
                          ds_left.data());
        kernels.multiply_packed(panel.padded_rows - first, padded_d, keys, ds_left.data(), k_right.data(), stride,
                                dq.data() + static_cast<std::ptrdiff_t>(first) * padded_d, padded_d, true);
    }
}

/// The same of keys at the far position: dout^T (sum w v k~^T) - delta (sum w k~).
void QueryBlock::far_dq(const FarSums& far, Mode mode, const AlignedBuffer& dout_left, AlignedBuffer& dq) {
    const tiles::Kernels& kernels = tiles::best();
    const int d = head.context.head_dim, dv = head.context.head_dim_v, padded_d = padded_right(d);
    AlignedBuffer right(tiles::right_size(d, dv));
    const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(dv) * kernels.right_panel;
    kernels.pack_right(false, d, dv, far.matrix(), padded_d, right.data(), stride);
    int first = 0;
    while (mode == Mode::succ && first < block.rows && near[static_cast<std::size_t>(first)]) ++first;
    first = first / tiles::row_alignment * tiles::row_alignment;
    kernels.multiply_packed(block.padded() - first, padded_d, dv,
                            dout_left.data() + static_cast<std::ptrdiff_t>(first) * dv, right.data(), stride,
                            dq.data() + static_cast<std::ptrdiff_t>(first) * padded_d, padded_d, false);
    for (int r = std::max(first, present.begin); r < present.end; ++r) {
        const auto [scale, delta] = row_scale(fact(r), mode, GradientOf::dialect);
        double* x = dq.data() + static_cast<std::ptrdiff_t>(r) * padded_d;
        for (int e = 0; e < d; ++e) x[e] = scale * (x[e] - delta * far.key()[e]);
    }
}

void QueryBlock::backward(ProbeResults& results, QueryNoise* noise) {
    const SequenceContext& c = head.context;
    const int d = c.head_dim, padded_d = padded_right(d);
    const AlignedBuffer dout_left = packed_dout(head, index(0), block, present);
    const auto fresh = [&] {
        return AlignedBuffer(static_cast<std::size_t>(block.padded()) * static_cast<std::size_t>(padded_d));
    };
    std::vector<double> dq(static_cast<std::size_t>(block.rows) * static_cast<std::size_t>(d));
    // Back from the mode's frame: R^T, times the softmax scale (Def.9).
    const auto turn_back = [&](int r, Mode mode, double* row, const double* angles, double position) {
        for (int e = 0; e < d; ++e) row[e] *= c.softmax_scale;
        c.rotations.add_transposed_query(angles, QueryIndex(index(r)), row,
                                         &dq[static_cast<std::size_t>(r) * static_cast<std::size_t>(d)]);
        if (noise != nullptr) noise->add_part(r, mode, row, angles, position);
    };
    for (const Panel* panel : {intra.get(), succ.get()}) {
        if (panel == nullptr) continue;
        AlignedBuffer part = fresh();
        near_dq(*panel, dout_left, noise, part);
        for (int r = present.begin; r < std::min(present.end, panel->rows); ++r) {
            if (panel->mode == Mode::succ && !near[static_cast<std::size_t>(r)]) continue;
            turn_back(r, panel->mode, part.data() + static_cast<std::ptrdiff_t>(r) * padded_d,
                      panel->angles.data() + static_cast<std::size_t>(r) * c.rotations.angles_size(),
                      panel->position[static_cast<std::size_t>(r)]);
        }
    }
    for (const Mode mode : {Mode::succ, Mode::inter}) {
        const FarSums& far = mode == Mode::succ ? far_succ : far_inter;
        if (far.at == nullptr) continue;
        AlignedBuffer part = fresh();
        far_dq(far, mode, dout_left, part);
        for (int r = present.begin; r < present.end; ++r) {
            if (mode == Mode::succ && near[static_cast<std::size_t>(r)]) continue;
            turn_back(r, mode, part.data() + static_cast<std::ptrdiff_t>(r) * padded_d, head.far.angles.data(),
                      head.geometry.far_position);
        }
    }
    if (noise != nullptr) noise->finish_dq(dout_left, results);
    if (!results.dq) return;
    for (int r = present.begin; r < present.end; ++r) {
        std::copy_n(&dq[static_cast<std::size_t>(r) * static_cast<std::size_t>(d)], d,
                    &(*results.dq)(c.sequence.batch, head.row(index(r)), head.head, 0));
    }
}

}  // namespace dca::reference::probe
