#include "reference/certified/operands.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/parallel.hpp"
#include "reference/math/rope.hpp"
#include "reference/math/rope_frequencies.hpp"

namespace dca::certified {
namespace {

/// Every position that a query or key of the sequence is rotated by.
std::vector<std::int64_t> positions_in_use(const reference::PositionMap& map, const ChunkConfig& chunk,
                                           const Sequence& sequence) {
    std::vector<std::int64_t> found;
    const std::int64_t len = chunk.chunk_len();
    const auto add = [&](double position) { found.push_back(static_cast<std::int64_t>(position)); };
    for (std::int64_t j = 0; j < std::min(len, sequence.key_count()); ++j) add(map.key(KeyIndex(j)));
    const std::int64_t first = std::max<std::int64_t>(sequence.offset, 0);
    const std::int64_t end = sequence.offset + sequence.query_count();
    for (std::int64_t i = first; i < std::min(end, first + len); ++i) {
        for (const Mode mode : all_modes) add(map.query(QueryIndex(i), mode));
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

}  // namespace

Context::Context(const Problem& p, const Inputs& in, const Sequence& s)
    : problem(p),
      inputs(in),
      sequence(s),
      softmax_scale(p.resolved_softmax_scale()),
      mscale_bound(std::max(1.0, std::abs(reference::mscale(reference::effective_rope(p))))),
      dim(static_cast<int>(p.shape.head_dim)),
      dim_v(static_cast<int>(p.shape.head_dim_v)),
      padded_dim(static_cast<int>(round_up(dim, column_alignment))),
      padded_dim_v(static_cast<int>(round_up(dim_v, column_alignment))),
      group(p.shape.heads_q / p.shape.heads_kv),
      key_count(s.key_count()),
      padded_keys(round_up(s.key_count(), key_tile_columns)),
      positions_(p),
      in_use_(positions_in_use(positions_, p.chunk, s)),
      angles_(reference::inv_freq(p, s.key_count()), reference::mscale(reference::effective_rope(p)), in_use_) {
    const std::int64_t count = p.resolved_rotary_dim() / 2;
    for (std::int64_t k = 0; k < count; ++k) {
        const auto [first, second] = reference::rotary_pair(p.rope.layout, k, count);
        pairs_.push_back(first);
        pairs_.push_back(second);
    }
}

std::int64_t Context::query_position(std::int64_t index, Mode mode) const {
    return static_cast<std::int64_t>(positions_.query(QueryIndex(index), mode));
}

std::int64_t Context::key_position(std::int64_t j) const {
    return static_cast<std::int64_t>(positions_.key(KeyIndex(j)));
}

double Context::head_work() const {
    constexpr double per_plain = 4;
    return per_plain * static_cast<double>(sequence.query_count()) * static_cast<double>(key_count) * (dim + dim_v);
}

/// The pairs of the rows times e^(i sign P f); the other dims copied. in_lo may be null.
void Context::turn(std::int64_t position, double sign, const double* in_hi, const double* in_lo, double* hi,
                   double* lo) const {
    const std::size_t size = angles_.size();
    Buffer angle(static_cast<std::int64_t>(size)), x(static_cast<std::int64_t>(size)),
        z(static_cast<std::int64_t>(size));
    angles_.at(position, angle.hi.data(), angle.lo.data());
    const std::size_t pairs = pairs_.size() / 2;
    for (std::size_t k = 0; k < pairs; ++k) {
        const std::size_t at = k / 8 * 16 + k % 8;
        for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
            const auto channel = static_cast<std::size_t>(pairs_[2 * k + part]);
            x.hi.data()[at + 8 * part] = in_hi[channel];
            if (in_lo != nullptr) x.lo.data()[at + 8 * part] = in_lo[channel];
        }
        angle.hi.data()[at + 8] *= sign;
        angle.lo.data()[at + 8] *= sign;
    }
    kernels().multiply_complex(x.hi.data(), x.lo.data(), angle.hi.data(), angle.lo.data(), angles_.padded_pairs(),
                               z.hi.data(), z.lo.data());
    for (std::size_t k = 0; k < pairs; ++k) {
        const std::size_t at = k / 8 * 16 + k % 8;
        for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
            const auto channel = static_cast<std::size_t>(pairs_[2 * k + part]);
            hi[channel] = z.hi.data()[at + 8 * part];
            lo[channel] = z.lo.data()[at + 8 * part];
        }
    }
    for (std::size_t e = 2 * pairs; e < static_cast<std::size_t>(dim); ++e) {
        hi[e] = in_hi[e];
        lo[e] = in_lo == nullptr ? 0 : in_lo[e];
    }
}

void Context::rotate(std::int64_t position, const double* row, double factor, double* hi, double* lo) const {
    turn(position, 1, row, nullptr, hi, lo);
    if (factor != 1) kernels().scale(hi, lo, padded_dim, factor, 0);
}

void Context::raise_pair_magnitudes(const double* row, std::vector<double>& most) const {
    const auto raise = [&](std::size_t channel, double value) { most[channel] = std::max(most[channel], value); };
    for (std::size_t k = 0; k < pairs_.size(); k += 2) {
        const double pair[2] = {row[pairs_[k]], row[pairs_[k + 1]]};
        const double norm = norm_above(pair, 2);
        raise(static_cast<std::size_t>(pairs_[k]), norm);
        raise(static_cast<std::size_t>(pairs_[k + 1]), norm);
    }
    for (std::size_t e = pairs_.size(); e < static_cast<std::size_t>(dim); ++e) raise(e, norm_above(row + e, 1));
}

void Context::rotate_back(std::int64_t position, double* hi, double* lo) const {
    turn(position, -1, hi, lo, hi, lo);
}

std::vector<QueryTile> query_tiles(const ChunkConfig& chunk, const Sequence& sequence) {
    std::vector<QueryTile> tiles;
    std::int64_t row = std::max<std::int64_t>(0, -sequence.offset);
    while (row < sequence.query_count()) {
        const std::int64_t index = sequence.offset + row;
        const std::int64_t c = index / chunk.chunk_len();
        const std::int64_t rows = std::min(
            {std::int64_t{query_tile_rows}, (c + 1) * chunk.chunk_len() - index, sequence.query_count() - row});
        tiles.push_back({row, row + rows, index, ChunkIndex(c)});
        row += rows;
    }
    std::reverse(tiles.begin(), tiles.end());
    return tiles;
}

KeyBlock key_block(const KeySpan& span, std::int64_t tile, std::int64_t last_index) {
    const std::int64_t first = std::max(span.begin, tile);
    std::int64_t last = std::min(span.end, tile + key_tile_columns);
    if (span.mode == Mode::intra) last = std::min(last, last_index + 1);
    if (first >= last) return {first, first, first, 0};
    const std::int64_t base = first / column_alignment * column_alignment;
    return {first, last, base, static_cast<int>(round_up(last - base, column_alignment))};
}

void mask_scores(const KeySpan& span, const KeyBlock& block, const QueryTile& tile, double* hi, double* lo) {
    constexpr double masked = -std::numeric_limits<double>::infinity();
    for (int r = 0; r < tile.rows(); ++r) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * key_tile_columns;
        const std::int64_t visible = span.mode == Mode::intra ? tile.first_index + r + 1 : block.last;
        const auto first = static_cast<int>(block.first - block.base);
        const auto end = static_cast<int>(std::clamp(visible, block.first, block.last) - block.base);
        for (int j = 0; j < block.columns; ++j) {
            if (j == first) j = end;
            if (j >= block.columns) break;
            hi[at + j] = masked;
            lo[at + j] = 0;
        }
    }
}

KeyOperands::KeyOperands(const Context& context, std::int64_t kv_head, bool for_backward)
    : k_scores(context.padded_keys * context.dim),
      v_values(static_cast<std::size_t>(context.padded_keys * context.padded_dim_v)),
      value_magnitude(static_cast<std::size_t>(context.padded_dim_v)),
      key_magnitude(static_cast<std::size_t>(context.padded_dim)),
      value_bias(static_cast<std::size_t>(context.padded_dim_v)),
      key_bias(static_cast<std::size_t>(context.padded_dim)) {
    const int d = context.dim, dv = context.dim_v;
    if (for_backward) {
        k_values = Buffer(context.padded_keys * context.padded_dim);
        v_scores = AlignedBuffer(static_cast<std::size_t>(context.padded_keys * dv));
    }
    const std::int64_t tiles = context.padded_keys / key_tile_columns;
    struct Largest {
        double key = 0, value = 0;
        std::vector<double> key_channel, value_channel;
    };
    std::vector<Largest> largest(static_cast<std::size_t>(tiles));
    const auto raise = [](std::vector<double>& all, const double* row, int n) {
        for (int e = 0; e < n; ++e) {
            all[static_cast<std::size_t>(e)] = std::max(all[static_cast<std::size_t>(e)], std::abs(row[e]));
        }
    };
    const auto v_stride = static_cast<std::ptrdiff_t>(context.inputs.v.view().stride(1));
    const double work = 100.0 * static_cast<double>(context.key_count) * (d + dv);
    reference::parallel_for(tiles, work, [&](std::int64_t tile) {
        const std::int64_t start = tile * key_tile_columns;
        const int keys = static_cast<int>(std::min<std::int64_t>(key_tile_columns, context.key_count - start));
        Buffer rotated(static_cast<std::int64_t>(keys) * context.padded_dim);
        Largest& most = largest[static_cast<std::size_t>(tile)];
        most.key_channel.resize(key_bias.size());
        most.value_channel.resize(value_bias.size());
        const Sequence& seq = context.sequence;
        for (int j = 0; j < keys; ++j) {
            const std::int64_t key = start + j;
            double* hi = rotated.hi.data() + static_cast<std::ptrdiff_t>(j) * context.padded_dim;
            double* lo = rotated.lo.data() + static_cast<std::ptrdiff_t>(j) * context.padded_dim;
            context.rotate(context.key_position(key), &context.inputs.k(seq.batch, seq.key_begin + key, kv_head, 0), 1,
                           hi, lo);
            const double* v = &context.inputs.v(seq.batch, seq.key_begin + key, kv_head, 0);
            most.key = std::max(most.key, norm_above(hi, d));
            most.value = std::max(most.value, norm_above(v, dv));
            context.raise_pair_magnitudes(hi, most.key_channel);
            raise(most.value_channel, v, dv);
        }
        const double* v = &context.inputs.v(seq.batch, seq.key_begin + start, kv_head, 0);
        const std::ptrdiff_t values = values_stride(context.padded_keys);
        const std::ptrdiff_t panel_start = start * kernels().right_panel;
        const auto pack_keys = [&](const AlignedBuffer& source, AlignedBuffer& scores, AlignedBuffer& channels) {
            kernels().pack_right(true, keys, d, source.data(), context.padded_dim, scores.data() + start * d,
                                 scores_stride(d));
            if (!for_backward) return;
            kernels().pack_right(false, context.padded_dim, keys, source.data(), context.padded_dim,
                                 channels.data() + panel_start, values);
        };
        pack_keys(rotated.hi, k_scores.hi, k_values.hi);
        pack_keys(rotated.lo, k_scores.lo, k_values.lo);
        kernels().pack_right(false, dv, keys, v, v_stride, v_values.data() + panel_start, values);
        if (for_backward) {
            kernels().pack_right(true, keys, dv, v, v_stride, v_scores.data() + start * dv, scores_stride(dv));
        }
    });
    for (const Largest& most : largest) {
        key_norm = std::max(key_norm, most.key);
        value_norm = std::max(value_norm, most.value);
        raise(key_magnitude, most.key_channel.data(), context.padded_dim);
        raise(value_magnitude, most.value_channel.data(), context.padded_dim_v);
    }
    std::transform(key_magnitude.begin(), key_magnitude.end(), key_bias.begin(), power_at_least);
    std::transform(value_magnitude.begin(), value_magnitude.end(), value_bias.begin(), power_at_least);
}

QueryOperands::QueryOperands(const Context& context, const QueryTile& tile, std::int64_t head, Mode mode, bool for_keys)
    : left(static_cast<std::int64_t>(left_size(tile.rows(), context.dim))) {
    const int rows = tile.rows(), padded = context.padded_dim;
    const Sequence& seq = context.sequence;
    Buffer q(static_cast<std::int64_t>(rows) * padded);
    magnitude.resize(static_cast<std::size_t>(padded));
    for (int r = 0; r < rows; ++r) {
        double* hi = q.hi.data() + static_cast<std::ptrdiff_t>(r) * padded;
        double* lo = q.lo.data() + static_cast<std::ptrdiff_t>(r) * padded;
        context.rotate(context.query_position(tile.first_index + r, mode),
                       &context.inputs.q(seq.batch, seq.query_begin + tile.row_begin + r, head, 0),
                       context.softmax_scale, hi, lo);
        norm.push_back(norm_above(hi, context.dim));
        context.raise_pair_magnitudes(hi, magnitude);
    }
    kernels().pack_left(false, rows, context.dim, q.hi.data(), padded, left.hi.data());
    kernels().pack_left(false, rows, context.dim, q.lo.data(), padded, left.lo.data());
    if (!for_keys) return;
    right = Buffer(static_cast<std::int64_t>(rows) * padded);
    const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(rows) * kernels().right_panel;
    kernels().pack_right(false, padded, rows, q.hi.data(), padded, right.hi.data(), stride);
    kernels().pack_right(false, padded, rows, q.lo.data(), padded, right.lo.data(), stride);
    bias.resize(magnitude.size());
    std::transform(magnitude.begin(), magnitude.end(), bias.begin(), power_at_least);
}

void multiply_scores(const QueryOperands& q, const KeyOperands& keys, const KeyBlock& block, int rows, int dim,
                     const double* row_bias, Buffer& scores) {
    kernels().multiply({.m = rows,
                        .n = block.columns,
                        .k = dim,
                        .left = q.left.hi.data(),
                        .left_lo = q.left.lo.data(),
                        .right = keys.k_scores.hi.data() + block.base * dim,
                        .right_lo = keys.k_scores.lo.data() + block.base * dim,
                        .right_stride = KeyOperands::scores_stride(dim),
                        .row_bias = row_bias,
                        .column_bias = nullptr,
                        .hi = scores.hi.data(),
                        .lo = scores.lo.data(),
                        .ld = key_tile_columns,
                        .accumulate = false});
}

}  // namespace dca::certified
