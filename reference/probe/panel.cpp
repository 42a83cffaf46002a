#include "reference/probe/panel.hpp"

#include <algorithm>
#include <limits>

namespace dca::reference::probe {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();
/// Panels beyond this many bytes are computed again for every chunk, which costs one more product of eight.
constexpr std::size_t kept_bytes = std::size_t{1} << 30;

}  // namespace

int Panel::rows_of(const Geometry& g, const Block& block, Mode mode) {
    int rows = block.rows;
    while (mode == Mode::succ && rows > 0 && !g.near(block.first + rows - 1)) --rows;
    return rows;
}

Panel::Panel(const Geometry& g, const Block& block, Mode m, int key_count)
    : mode(m),
      rows(rows_of(g, block, m)),
      padded_rows(static_cast<int>(round_up(rows, tiles::row_alignment))),
      keys(m == Mode::intra ? static_cast<int>(std::min<std::int64_t>(key_count, block.first + block.rows))
                            : key_count),
      tiles((keys + tile_keys - 1) / tile_keys),
      shift(static_cast<std::size_t>(rows), minus_infinity),
      weight_sum(static_cast<std::size_t>(rows)),
      query(static_cast<std::size_t>(rows) * g.context.head_dim),
      angles(static_cast<std::size_t>(rows) * g.context.rotations.angles_size()),
      query_right(tiles::right_size(g.context.head_dim, rows)),
      first_(block.first),
      weights_(static_cast<std::size_t>(tiles) * tile_size()),
      logits_(static_cast<std::size_t>(tiles) * tile_size()),
      packed_(static_cast<std::size_t>(tiles) * tile_size()),
      meets_(static_cast<std::size_t>(rows)) {
    const int d = g.context.head_dim;
    for (int r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        meets_[at] = mode == Mode::intra || g.near(first_ + r);
        if (meets_[at]) {
            g.query(mode, first_ + r, g.context.softmax_scale, &query[at * static_cast<std::size_t>(d)],
                    angles.data() + at * g.context.rotations.angles_size());
        }
        position.push_back(g.context.rotations.positions().query(QueryIndex(first_ + r), mode));
    }
    const tiles::Kernels& kernels = tiles::best();
    kernels.pack_right(false, d, rows, query.data(), d, query_right.data(),
                       static_cast<std::ptrdiff_t>(rows) * kernels.right_panel);
    fill_logits(g);
    fill_weights();
    fill_key_sums(g);
}

int Panel::first_row(int tile) const {
    if (mode != Mode::intra) return 0;
    return static_cast<int>(std::clamp<std::int64_t>(tile * tile_keys - first_, 0, padded_rows)) /
           tiles::row_alignment * tiles::row_alignment;
}

int Panel::visible(int row, int tile) const {
    if (!meets_[static_cast<std::size_t>(row)]) return 0;
    const int there = tile_keys_of(tile);
    if (mode != Mode::intra) return there;
    return static_cast<int>(std::clamp<std::int64_t>(first_ + row + 1 - tile * tile_keys, 0, there));
}

void Panel::fill_logits(const Geometry& g) {
    const tiles::Kernels& kernels = tiles::best();
    const int d = g.context.head_dim;
    AlignedBuffer left(tiles::left_size(rows, d)), right(tiles::right_size(tile_keys, d));
    kernels.pack_left(false, rows, d, query.data(), d, left.data());
    for (int tile = 0; tile < tiles; ++tile) {
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(d) * kernels.right_panel;
        kernels.pack_right(true, tile_keys_of(tile), d, g.key(tile * tile_keys), d, right.data(), stride);
        const int columns = static_cast<int>(round_up(tile_keys_of(tile), tiles::column_alignment));
        kernels.multiply_packed(padded_rows, columns, d, left.data(), right.data(), stride,
                                logits_.data() + tile * tile_size(), tile_keys, false);
    }
}

void Panel::fill_weights() {
    const tiles::Kernels& kernels = tiles::best();
    for (int r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        for (int tile = 0; tile < tiles; ++tile) {
            if (const int seen = visible(r, tile); seen > 0) {
                shift[at] = std::max(shift[at], kernels.row_max(logits(tile) + r * tile_keys, seen));
            }
        }
        if (shift[at] == minus_infinity) continue;
        double sum = 0;
        for (int tile = 0; tile < tiles; ++tile) {
            const int seen = visible(r, tile);
            if (seen == 0) continue;
            double* row = weights_.data() + tile * tile_size() + r * tile_keys;
            std::copy_n(logits(tile) + r * tile_keys, seen, row);
            sum += kernels.exp_minus(row, seen, shift[at]);
        }
        weight_sum[at] = sum;
    }
    for (int tile = 0; tile < tiles; ++tile) {
        kernels.pack_left(false, rows, tile_keys_of(tile), weights(tile), tile_keys,
                          packed_.data() + tile * tile_size());
    }
}

void Panel::fill_key_sums(const Geometry& g) {
    const tiles::Kernels& kernels = tiles::best();
    const int d = g.context.head_dim, padded = static_cast<int>(round_up(d, tiles::column_alignment));
    AlignedBuffer right(tiles::right_size(d, tile_keys)),
        sums(static_cast<std::size_t>(padded_rows) * static_cast<std::size_t>(padded));
    for (int tile = 0; tile < tiles; ++tile) {
        const int count = tile_keys_of(tile), first = first_row(tile);
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(count) * kernels.right_panel;
        kernels.pack_right(false, d, count, g.key(tile * tile_keys), d, right.data(), stride);
        kernels.multiply_packed(padded_rows - first, padded, count, packed(tile), right.data(), stride,
                                sums.data() + static_cast<std::ptrdiff_t>(first) * padded, padded, true);
    }
    for (int r = 0; r < rows; ++r) {
        const double* row = sums.data() + static_cast<std::ptrdiff_t>(r) * padded;
        key_sum.insert(key_sum.end(), row, row + d);
    }
}

std::shared_ptr<const Panel> Panels::get(const Block& block, Mode mode, int keys) const {
    const bool whole = keys == geometry_.columns;
    const std::pair key{block.first, mode};
    if (whole) {
        const std::lock_guard lock(mutex_);
        if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
    }
    auto panel = std::make_shared<const Panel>(geometry_, block, mode, keys);
    if (!whole) return panel;
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
    if (bytes_ + panel->bytes() <= kept_bytes) {
        kept_.emplace(key, panel);
        bytes_ += panel->bytes();
    }
    return panel;
}

}  // namespace dca::reference::probe
