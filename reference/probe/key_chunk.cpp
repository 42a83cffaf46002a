#include "reference/probe/key_chunk.hpp"

#include <algorithm>
#include <utility>

#include "reference/probe/key_noise.hpp"

namespace dca::reference::probe {

KeyChunk::KeyChunk(std::vector<FinishedHead> heads, std::int64_t chunk, KeyNoise* noise)
    : heads_(std::move(heads)), chunk_(chunk), noise_(noise) {
    const Head& head = *heads_.front().head;
    keys_ = head.geometry.keys_in(chunk);
    padded_d_ = padded_right(head.context.head_dim);
    padded_v_ = padded_right(head.context.head_dim_v);
    rows_ = static_cast<std::size_t>(round_up(keys_, tile_keys));
    dk_.resize(static_cast<std::size_t>(keys_) * static_cast<std::size_t>(head.context.head_dim));
    dv_.resize(static_cast<std::size_t>(keys_) * static_cast<std::size_t>(head.context.head_dim_v));
    plain_dk_ = dk_;
    key_sums_.resize(static_cast<std::size_t>(std::max(1, keys_)));
    plain_dv_ = dv_;
}

void KeyChunk::add_block(const Head& head, const Panel& panel, const Block& whole, std::int64_t query_chunk,
                         GradientOf which, KeyNoise* noise, Part& part) const {
    const tiles::Kernels& kernels = tiles::best();
    const Block block{whole.first, panel.rows};
    const int dv = head.context.head_dim_v, rows = panel.rows;
    const Geometry::Present present = head.geometry.present(block, query_chunk);
    const std::int64_t first_index = query_chunk * head.geometry.chunk_len + block.first;
    std::vector<double> dout;
    const AlignedBuffer dout_left = packed_dout(head, first_index, block, present, &dout);
    AlignedBuffer dout_right(tiles::right_size(dv, rows)), v_right(tiles::right_size(tile_keys, dv));
    const std::ptrdiff_t right_stride = static_cast<std::ptrdiff_t>(rows) * kernels.right_panel;
    kernels.pack_right(false, dv, rows, dout.data(), dv, dout_right.data(), right_stride);
    const std::size_t size = static_cast<std::size_t>(panel.padded_rows) * tile_keys;
    AlignedBuffer dp(size), p(size), ds(size), left(tiles::left_size(tile_keys, rows));
    if (noise != nullptr) noise->begin_block(head, panel, block, query_chunk, dout);
    for (int tile = 0; tile < panel.tiles; ++tile) {
        const int keys = panel.tile_keys_of(tile), first = panel.first_row(tile), below = rows - first;
        if (below <= 0) continue;
        const noise::Rows v = head.values_at(chunk_ * head.geometry.chunk_len + tile * tile_keys, keys);
        const std::ptrdiff_t v_stride = static_cast<std::ptrdiff_t>(dv) * kernels.right_panel;
        kernels.pack_right(true, keys, dv, v.data, v.stride, v_right.data(), v_stride);
        kernels.multiply_packed(panel.padded_rows - first, static_cast<int>(round_up(keys, tiles::column_alignment)),
                                dv, dout_left.data() + static_cast<std::ptrdiff_t>(first) * dv, v_right.data(),
                                v_stride, dp.data() + static_cast<std::ptrdiff_t>(first) * tile_keys, tile_keys, false);
        for (int r = std::max(first, present.begin); r < present.end; ++r) {
            const auto [scale, delta] = row_scale(head.fact(first_index + r), panel.mode, which);
            const double *w = panel.weights(tile) + r * tile_keys, *x = dp.data() + r * tile_keys;
            double *p_row = p.data() + r * tile_keys, *ds_row = ds.data() + r * tile_keys;
            double* key_sum = &part.p[static_cast<std::size_t>(tile * tile_keys)];
            for (int j = 0; j < keys; ++j) p_row[j] = scale * w[j];
            for (int j = 0; j < keys; ++j) key_sum[j] += p_row[j];
            for (int j = 0; j < keys; ++j) ds_row[j] = p_row[j] * (x[j] - delta);
        }
        const auto add = [&](const AlignedBuffer& source, const double* right, AlignedBuffer& target, int dim) {
            kernels.pack_left(true, keys, below, source.data() + static_cast<std::ptrdiff_t>(first) * tile_keys,
                              tile_keys, left.data());
            kernels.multiply_packed(static_cast<int>(round_up(keys, tiles::row_alignment)), dim, below, left.data(),
                                    right + static_cast<std::ptrdiff_t>(first) * kernels.right_panel, right_stride,
                                    target.data() + static_cast<std::ptrdiff_t>(tile) * tile_keys * dim, dim, true);
        };
        add(ds, panel.query_right.data(), part.dk, padded_d_);
        add(p, dout_right.data(), part.dv, padded_v_);
        if (noise != nullptr) noise->add_tile(tile, dp.data());
    }
}

/// Keys that rows meet at the far position: p = w scale, and q~ is one vector.
void KeyChunk::add_far(const FinishedHead& finished, const RowSums& rows, Part& part) const {
    const Head& head = *finished.head;
    const noise::Rows v = head.values(chunk_);
    for (int t = 0; t < keys_; ++t) {
        const double w = head.far.weights[static_cast<std::size_t>(t)];
        double *dk = part.dk.data() + static_cast<std::ptrdiff_t>(t) * padded_d_,
               *dv = part.dv.data() + static_cast<std::ptrdiff_t>(t) * padded_v_;
        part.p[static_cast<std::size_t>(t)] += w * rows.scale();
        double dp = -rows.delta();
        for (int c = 0; c < v.columns; ++c) dp += v.row(t)[c] * rows.dout()[c];
        for (int c = 0; c < v.columns; ++c) dv[c] += w * rows.dout()[c];
        for (int e = 0; e < head.context.head_dim; ++e) dk[e] += w * dp * head.far.query[static_cast<std::size_t>(e)];
    }
}

KeyChunk::Part KeyChunk::sum_mode(const FinishedHead& finished, Mode mode, GradientOf which, KeyNoise* noise) const {
    const Head& head = *finished.head;
    const Geometry& g = head.geometry;
    const FarRows& far = which == GradientOf::dialect ? *finished.far : *finished.plain_far;
    Part part{AlignedBuffer(rows_ * static_cast<std::size_t>(padded_d_)),
              AlignedBuffer(rows_ * static_cast<std::size_t>(padded_v_)), std::vector<double>(rows_)};
    if (mode == Mode::inter) {
        if (head.far.exists()) add_far(finished, far.from(chunk_ + 2), part);
        return part;
    }
    const std::int64_t query_chunk = mode == Mode::intra ? chunk_ : chunk_ + 1;
    for (const Block& block : g.blocks()) {
        const Geometry::Present present = g.present(block, query_chunk);
        if (present.begin >= present.end) continue;
        bool any = mode == Mode::intra;
        for (int r = present.begin; r < present.end && !any; ++r) any = g.near(block.first + r);
        if (any) add_block(head, *head.panels.get(block, mode, keys_), block, query_chunk, which, noise, part);
    }
    if (mode == Mode::succ && head.far.exists()) add_far(finished, far.next(query_chunk), part);
    return part;
}

void KeyChunk::collect(const Part& part, std::vector<double>& dk_sum, std::vector<double>& dv_sum) const {
    const Head& head = *heads_.front().head;
    const auto d = static_cast<std::size_t>(head.context.head_dim),
               dv = static_cast<std::size_t>(head.context.head_dim_v);
    for (std::size_t t = 0; t < static_cast<std::size_t>(keys_); ++t) {
        for (std::size_t e = 0; e < d; ++e)
            dk_sum[t * d + e] += part.dk.data()[t * static_cast<std::size_t>(padded_d_) + e];
        for (std::size_t c = 0; c < dv; ++c)
            dv_sum[t * dv + c] += part.dv.data()[t * static_cast<std::size_t>(padded_v_) + c];
    }
}

void KeyChunk::run(ProbeResults& results) {
    for (const FinishedHead& finished : heads_) {
        if (noise_ != nullptr) noise_->begin_head(*finished.head);
        for (const Mode mode : all_modes) {
            const Part part = sum_mode(finished, mode, GradientOf::dialect, noise_);
            collect(part, dk_, dv_);
            for (std::size_t t = 0; t < static_cast<std::size_t>(keys_); ++t) key_sums_[t] += part.p[t];
            if (noise_ == nullptr) continue;
            if (finished.plain_far == nullptr) {
                noise_->add_part(finished, mode, part);
                collect(part, plain_dk_, plain_dv_);
            } else {
                const Part plain = sum_mode(finished, mode, GradientOf::plain_softmax, nullptr);
                noise_->add_part(finished, mode, plain);
                collect(plain, plain_dk_, plain_dv_);
            }
        }
    }
    const Head& head = *heads_.front().head;
    const SequenceContext& c = head.context;
    const auto d = static_cast<std::size_t>(c.head_dim), dv = static_cast<std::size_t>(c.head_dim_v);
    std::vector<double> back(d);
    for (int t = 0; t < keys_; ++t) {
        const auto at = static_cast<std::size_t>(t);
        const std::int64_t j = chunk_ * head.geometry.chunk_len + t, key = c.sequence.key_begin + j;
        // The softmax scale is already in the rotated queries that dk was summed from.
        std::fill(back.begin(), back.end(), 0.0);
        c.rotations.add_transposed_key(head.geometry.key_angles(t), KeyIndex(j), &dk_[at * d], back.data());
        if (results.dk) std::copy(back.begin(), back.end(), &(*results.dk)(c.sequence.batch, key, head.kv_head, 0));
        if (results.dv) std::copy_n(&dv_[at * dv], dv, &(*results.dv)(c.sequence.batch, key, head.kv_head, 0));
        if (noise_ == nullptr) continue;
        std::fill(back.begin(), back.end(), 0.0);
        c.rotations.add_transposed_key(head.geometry.key_angles(t), KeyIndex(j), &plain_dk_[at * d], back.data());
        noise_->finish(t, &plain_dk_[at * d], back.data(), &plain_dv_[at * dv], results);
    }
}

}  // namespace dca::reference::probe
