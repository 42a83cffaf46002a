#include "gpu/host/tiles.hpp"

#include <algorithm>

namespace dca::gpu::host {
namespace {

std::int32_t narrow(std::int64_t value) {
    return static_cast<std::int32_t>(value);  // supports() keeps rows below 2^31
}

/// Rows of which no one sees a key.
PlacedQueryTile blind_tile(const Sequence& sequence, std::int64_t row, std::int64_t rows) {
    PlacedQueryTile placed;
    placed.tile.row = narrow(sequence.row + row);
    placed.tile.rows = narrow(rows);
    placed.tile.key_row = 0;
    placed.tile.diagonal = narrow(-rows);  // diagonal + r < 0 for every row
    return placed;
}

/// Rows row .. row + rows - 1 of one chunk, which begins at index `start`.
PlacedQueryTile seeing_tile(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t row, std::int64_t rows,
                            std::int64_t start) {
    const std::int64_t length = chunk.chunk_len(), clamp = chunk.chunk_size;
    const std::int64_t first = row + sequence.offset;  // index of row 0
    PlacedQueryTile placed;
    QueryTile& tile = placed.tile;
    tile.row = narrow(sequence.row + row);
    tile.rows = narrow(rows);
    tile.key_row = narrow(sequence.row);
    tile.inter_end = narrow(std::clamp<std::int64_t>(start - length, 0, sequence.keys));
    tile.succ_end = narrow(std::min(start, sequence.keys));
    tile.intra_end = narrow(std::min(first + rows, sequence.keys));
    tile.diagonal = narrow(std::min(first, sequence.keys));  // beyond the last key every row sees all
    placed.intra = first - start;
    placed.succ = std::min(placed.intra + length, clamp);
    placed.succ_count = std::min(rows, clamp - placed.succ + 1);
    placed.inter = std::min(2 * length - 1, clamp);
    return placed;
}

/// Rows up to the next multiple of `height` from the chunk's start, the chunk's end or the end of the rows.
std::int64_t rows_from(std::int64_t within_chunk, std::int64_t chunk_length, std::int64_t height, std::int64_t left) {
    return std::min({height - within_chunk % height, chunk_length - within_chunk, left});
}

}  // namespace

std::vector<Sequence> sequences(const Problem& problem) {
    const Shape& shape = problem.shape;
    if (!problem.packed()) return {{0, shape.seq_q, shape.seq_k, problem.resolved_query_offset()}};
    std::vector<Sequence> all;
    for (std::size_t s = 1; s < problem.cu_seqlens.size(); ++s) {
        const std::int64_t begin = problem.cu_seqlens[s - 1], count = problem.cu_seqlens[s] - begin;
        if (count > 0) all.push_back({begin, count, count, 0});
    }
    return all;
}

std::vector<PlacedQueryTile> query_tiles(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t height) {
    const std::int64_t length = chunk.chunk_len();
    std::vector<PlacedQueryTile> tiles;
    for (std::int64_t row = 0; row < sequence.queries;) {
        const std::int64_t index = row + sequence.offset, left = sequence.queries - row;
        if (index < 0) {
            tiles.push_back(blind_tile(sequence, row, std::min({height, left, -index})));
        } else {
            const std::int64_t within = index % length;
            tiles.push_back(seeing_tile(sequence, chunk, row, rows_from(within, length, height, left), index - within));
        }
        row += tiles.back().tile.rows;
    }
    return tiles;
}

std::int64_t query_tile_count(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t height) {
    const std::int64_t length = chunk.chunk_len(), in_chunk = (length + height - 1) / height;
    const std::int64_t blind = std::clamp<std::int64_t>(-sequence.offset, 0, sequence.queries);
    // Tiles begun before index i, from index 0 on; the tile that holds i - 1 is the last of them.
    const auto before = [&](std::int64_t i) { return i / length * in_chunk + (i % length + height - 1) / height; };
    const auto begun_earlier = [&](std::int64_t i) { return i / length * in_chunk + i % length / height; };
    const std::int64_t blind_tiles = (blind + height - 1) / height;
    if (blind == sequence.queries) return blind_tiles;
    return blind_tiles + before(sequence.offset + sequence.queries) - begun_earlier(sequence.offset + blind);
}

std::vector<PlacedKeyTile> key_tiles(const Sequence& sequence, const ChunkConfig& chunk, std::int64_t height) {
    const std::int64_t length = chunk.chunk_len();
    std::vector<PlacedKeyTile> tiles;
    for (std::int64_t key = 0; key < sequence.keys;) {
        const std::int64_t within = key % length;
        const std::int64_t rows = rows_from(within, length, height, sequence.keys - key);
        tiles.push_back({{narrow(sequence.row + key), narrow(rows), 0}, within});
        key += rows;
    }
    return tiles;
}

}  // namespace dca::gpu::host
