#include "reference/sampled/rows.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::sampled {

Rows::Rows(const SequenceContext& context, std::span<const std::int64_t> rows) : context_(context) {
    for (const std::int64_t row : rows) index_.push_back(row + context.sequence.offset);
    int first = 0;
    while (first < count() && index(first) < 0) ++first;  // such rows see no key
    for (int begin = first; begin < count(); begin += row_tile_rows) {
        tiles_.push_back({begin, std::min(row_tile_rows, count() - begin)});
    }
    const std::int64_t length = context.problem.chunk.chunk_len();
    for (int begin = first, end = first; begin < count(); begin = end) {
        const std::int64_t chunk = index(begin) / length;
        while (end < count() && end < begin + row_tile_rows && index(end) / length == chunk) ++end;
        chunk_tiles_.push_back({begin, end, index(begin), ChunkIndex(chunk), &index_[static_cast<std::size_t>(begin)]});
    }
    const std::int64_t heads = context.problem.shape.heads_q;
    const auto d = static_cast<std::size_t>(context.head_dim), n = index_.size();
    for (auto& turned : turned_) turned.resize(static_cast<std::size_t>(heads) * n * d);
    const double work = 30.0 * static_cast<double>(turned_.size() * turned_[0].size());
    parallel_for(static_cast<std::int64_t>(chunk_tiles_.size()) * heads, work, [&](std::int64_t item) {
        const QueryTile& tile = chunk_tiles_[static_cast<std::size_t>(item / heads)];
        const std::int64_t head = item % heads;
        // Modes that a row has no keys in may lie at positions the tables do not hold.
        for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
            const std::size_t at = (static_cast<std::size_t>(head) * n + static_cast<std::size_t>(tile.row_begin)) * d;
            rotated_queries(context, tile, head, span.mode, context.softmax_scale,
                            &turned_[static_cast<std::size_t>(span.mode)][at]);
        }
    });
}

std::optional<Mode> Rows::mode(int r, const Unit& unit) const {
    return index(r) < 0 ? std::nullopt : pair_mode(context_.problem.chunk, QueryIndex(index(r)), KeyIndex(unit.begin));
}

int Rows::visible(int r, std::int64_t first, int count) const {
    return static_cast<int>(std::clamp<std::int64_t>(index(r) + 1 - first, 0, count));
}

bool Rows::meets(const RowTile& tile, const Unit& unit) const {
    return index(tile.begin + tile.count - 1) >= unit.begin;
}

void Rows::turned_queries(const RowTile& tile, std::int64_t head, const Unit& unit, double* out) const {
    const auto d = static_cast<std::size_t>(context_.head_dim);
    for (int r = 0; r < tile.count; ++r, out += d) {
        const int row = tile.begin + r;
        if (const std::optional<Mode> of_row = mode(row, unit)) {
            const std::size_t at = (static_cast<std::size_t>(head) * index_.size() + static_cast<std::size_t>(row)) * d;
            std::copy_n(&turned_[static_cast<std::size_t>(*of_row)][at], d, out);
        } else {
            std::fill_n(out, d, 0.0);
        }
    }
}

}  // namespace dca::reference::sampled
