#include "reference/sampled/softmax.hpp"

#include <quadmath.h>

#include <algorithm>
#include <limits>
#include <string>

#include "reference/math/parallel.hpp"

namespace dca::reference::sampled {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

std::size_t size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

}  // namespace

Softmax::Softmax(const SequenceContext& context, const Rows& rows)
    : context_(context),
      rows_(rows),
      m_(size(context.problem.shape.heads_q * rows.count()), minus_infinity),
      l_(m_.size()),
      o_(m_.size() * size(context.head_dim_v)),
      rescales_(m_.size()) {}

/// The unit's keys in tiles: m, l and o of each row are rescaled where a tile raises the maximum.
void Softmax::attend(const UnitKeys& keys, const Unit& unit, const RowTile& tile, std::int64_t head, std::size_t at,
                     Part& part) const {
    const tiles::Kernels& kernels = tiles::best();
    const int d = context_.head_dim, dv = context_.padded_dim_v, padded = tile.padded();
    std::vector<double> queries(size(tile.count) * size(d));
    rows_.turned_queries(tile, head, unit, queries.data());
    AlignedBuffer left(tiles::left_size(tile.count, d)), scores(size(padded) * key_tile_columns),
        weights(tiles::left_size(tile.count, key_tile_columns)), o(size(padded) * size(dv));
    kernels.pack_left(false, tile.count, d, queries.data(), d, left.data());
    for (const UnitKeys::Tile& key_tile : keys.tiles()) {
        keys.times_keys(key_tile, padded, left.data(), scores.data());
        for (int r = 0; r < tile.count; ++r) {
            double* row = scores.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns;
            const int seen = rows_.visible(tile.begin + r, key_tile.first, key_tile.keys);
            std::fill(row + seen, row + key_tile.keys, 0.0);
            if (seen == 0) continue;
            double &m = part.m[at + size(r)], &l = part.l[at + size(r)];
            const double highest = std::max(m, kernels.row_max(row, seen));
            const double sum = kernels.exp_minus(row, seen, highest);
            if (highest > m) {
                double factor = m;
                kernels.exp_minus(&factor, 1, highest);
                l *= factor;
                kernels.scale(o.data() + static_cast<std::ptrdiff_t>(r) * dv, dv, factor);
                m = highest;
            }
            l += sum;
        }
        kernels.pack_left(false, tile.count, key_tile.keys, scores.data(), key_tile_columns, weights.data());
        keys.add_sum_of_values(key_tile, padded, weights.data(), o.data());
    }
    for (int r = 0; r < tile.count; ++r) {
        std::copy_n(o.data() + static_cast<std::ptrdiff_t>(r) * dv, context_.head_dim_v,
                    &part.o[(at + size(r)) * size(context_.head_dim_v)]);
    }
}

void Softmax::compute(const Unit& unit, std::int64_t kv_head, Part& part) const {
    const std::size_t entries = size(context_.group * rows_.count());
    part.m.assign(entries, minus_infinity);
    part.l.assign(entries, 0.0);
    part.o.assign(entries * size(context_.head_dim_v), 0.0);
    if (rows_.tiles().empty() || !rows_.meets(rows_.tiles().back(), unit)) return;
    const UnitKeys keys(context_, kv_head, unit, false);
    for (std::int64_t g = 0; g < context_.group; ++g) {
        for (const RowTile& tile : rows_.tiles()) {
            if (!rows_.meets(tile, unit)) continue;
            attend(keys, unit, tile, kv_head * context_.group + g, size(g * rows_.count() + tile.begin), part);
        }
    }
}

void Softmax::merge(const Part& part, std::size_t at_part, std::size_t at) {
    const double theirs = part.m[at_part];
    if (theirs == minus_infinity) return;
    const std::size_t dv = size(context_.head_dim_v);
    double factor = theirs;
    if (theirs > m_[at]) {
        double rescale = m_[at];
        tiles::best().exp_minus(&rescale, 1, theirs);
        l_.scale(at, rescale);
        for (std::size_t c = 0; c < dv; ++c) o_.scale(at * dv + c, rescale);
        m_[at] = theirs;
        ++rescales_[at];
        factor = 1;
    } else {
        tiles::best().exp_minus(&factor, 1, m_[at]);
    }
    l_.add(at, part.l[at_part], factor);
    for (std::size_t c = 0; c < dv; ++c) o_.add(at * dv + c, part.o[at_part * dv + c], factor);
}

void Softmax::add(const Slice& slice) {
    const std::int64_t units = static_cast<std::int64_t>(slice.units.size()),
                       kv_heads = context_.problem.shape.heads_kv;
    const std::int64_t samples = rows_.count(), group_rows = context_.group * samples;
    std::vector<Part> parts(size(units * kv_heads));
    const double work = static_cast<double>(slice.end() - slice.begin()) * static_cast<double>(kv_heads * group_rows) *
                        (context_.head_dim + context_.head_dim_v);
    parallel_for(units * kv_heads, work, [&](std::int64_t item) {
        compute(slice.units[size(item / kv_heads)], item % kv_heads, parts[size(item)]);
    });
    parallel_for(kv_heads * group_rows, static_cast<double>(units * kv_heads * group_rows * context_.head_dim_v),
                 [&](std::int64_t row) {
                     const std::int64_t kv_head = row / group_rows;
                     for (std::int64_t unit = 0; unit < units; ++unit) {
                         merge(parts[size(unit * kv_heads + kv_head)], size(row % group_rows), size(row));
                     }
                 });
}

void Softmax::finish(Outputs& outputs) const {
    const std::int64_t samples = rows_.count();
    for (std::int64_t head = 0; head < context_.problem.shape.heads_q; ++head) {
        for (std::int64_t r = 0; r < samples; ++r) {
            const std::size_t at = size(head * samples + r);
            double& lse = outputs.lse(0, head, r);
            lse = minus_infinity;
            if (rows_.index(static_cast<int>(r)) < 0) continue;
            const double l = l_.value(at);
            lse = static_cast<double>(static_cast<__float128>(m_[at]) + logq(l));
            if (!std::isfinite(lse)) {
                throw InvalidProblem("the logits of head " + std::to_string(head) + ", sampled row " +
                                     std::to_string(r) + " overflow double precision");
            }
            for (int c = 0; c < context_.head_dim_v; ++c) {
                outputs.out(0, r, head, c) = o_.value(at * size(context_.head_dim_v) + size(c)) / l;
            }
        }
    }
}

}  // namespace dca::reference::sampled
