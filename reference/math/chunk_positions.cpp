#include "reference/math/chunk_positions.hpp"

#include <algorithm>

#include "reference/spec/error.hpp"

namespace dca::reference {

RotaryPosition key_position(const ChunkConfig& chunk, KeyIndex j) {
    return RotaryPosition(j.value() % chunk.chunk_len());
}

RotaryPosition query_position(const ChunkConfig& chunk, QueryIndex i, Mode mode) {
    const std::int64_t len = chunk.chunk_len();
    const std::int64_t in_chunk = i.value() % len;
    switch (mode) {
        case Mode::intra: return RotaryPosition(in_chunk);
        case Mode::succ: return RotaryPosition(std::min(in_chunk + len, chunk.chunk_size));
        case Mode::inter: return RotaryPosition(std::min(2 * len - 1, chunk.chunk_size));
    }
    throw ContractError("mode without a position");
}

std::optional<Mode> pair_mode(const ChunkConfig& chunk, QueryIndex i, KeyIndex j) {
    if (j.value() > i.value()) return std::nullopt;
    const std::int64_t distance = i.value() / chunk.chunk_len() - j.value() / chunk.chunk_len();
    return distance == 0 ? Mode::intra : distance == 1 ? Mode::succ : Mode::inter;
}

std::vector<Sequence> sequences(const Problem& problem) {
    std::vector<Sequence> out;
    const Shape& s = problem.shape;
    if (!problem.packed()) {
        for (std::int64_t b = 0; b < s.batch; ++b) {
            out.push_back({b, 0, s.seq_q, 0, s.seq_k, problem.resolved_query_offset()});
        }
        return out;
    }
    for (std::size_t n = 0; n + 1 < problem.cu_seqlens.size(); ++n) {
        const std::int64_t begin = problem.cu_seqlens[n], end = problem.cu_seqlens[n + 1];
        if (begin < end) out.push_back({0, begin, end, begin, end, 0});
    }
    return out;
}

std::vector<KeySpan> key_spans(const ChunkConfig& chunk, ChunkIndex c, std::int64_t key_count) {
    const std::int64_t start = c.value() * chunk.chunk_len();
    const std::int64_t previous = start - chunk.chunk_len();
    std::vector<KeySpan> spans;
    const auto add = [&](Mode mode, std::int64_t begin, std::int64_t end) {
        const std::int64_t first = std::max<std::int64_t>(begin, 0), last = std::min(end, key_count);
        if (first < last) spans.push_back({mode, first, last});
    };
    add(Mode::inter, 0, previous);
    add(Mode::succ, previous, start);
    add(Mode::intra, start, start + chunk.chunk_len());
    return spans;
}

namespace {

Region region_of(std::int64_t chunks_apart) {
    return chunks_apart <= 0 ? Region::intra_only : chunks_apart == 1 ? Region::with_succ : Region::with_inter;
}

}  // namespace

RowRegions row_regions(const Problem& problem) {
    RowRegions regions;
    regions.query.assign(static_cast<std::size_t>(problem.shape.seq_q), Region::none);
    regions.key.assign(static_cast<std::size_t>(problem.shape.seq_k), Region::none);
    const std::int64_t len = problem.chunk.chunk_len();
    for (const Sequence& seq : sequences(problem)) {
        for (std::int64_t row = 0; row < seq.query_count(); ++row) {
            const std::int64_t i = seq.offset + row;
            // A query past the last key's chunk may see no intra key at all; its region is still its farthest mode.
            if (i >= 0) regions.query[static_cast<std::size_t>(seq.query_begin + row)] = region_of(i / len);
        }
        const std::int64_t last_query = seq.offset + seq.query_count() - 1;
        for (std::int64_t j = 0; j < seq.key_count() && j <= last_query; ++j) {
            regions.key[static_cast<std::size_t>(seq.key_begin + j)] = region_of(last_query / len - j / len);
        }
    }
    return regions;
}

}  // namespace dca::reference
