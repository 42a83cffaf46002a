#include "reference/sparse/segments.hpp"

#include <algorithm>
#include <string>

#include "reference/spec/error.hpp"

namespace dca::sparse {

std::vector<Segment> segments(const ChunkConfig& chunk, const reference::Sequence& sequence) {
    const std::int64_t rows = sequence.query_count();
    if (sequence.offset + rows > sequence.key_count()) {
        throw Unsupported("sparse prefill: the last query has index " + std::to_string(sequence.offset + rows - 1) +
                          " but there are " + std::to_string(sequence.key_count()) +
                          " keys; every query needs a key of its own");
    }
    std::vector<Segment> out;
    for (std::int64_t row = std::max<std::int64_t>(0, -sequence.offset); row < rows;) {
        const std::int64_t index = sequence.offset + row;
        const std::int64_t c = index / chunk.chunk_len();
        const std::int64_t end = std::min(rows, row + (c + 1) * chunk.chunk_len() - index);
        out.push_back({row, end, index, ChunkIndex(c)});
        row = end;
    }
    return out;
}

std::vector<SegmentSizes> segment_sizes(const SparseConfig& config, std::int64_t heads_q,
                                        const std::vector<Segment>& segments) {
    const auto of_head = [](const std::vector<std::int64_t>& sizes, std::size_t head) {
        return sizes.size() == 1 ? sizes.front() : sizes[head];
    };
    std::vector<HeadSizes> asked;
    for (std::size_t head = 0; head < static_cast<std::size_t>(heads_q); ++head) {
        const std::int64_t vertical = of_head(config.vertical_size, head);
        asked.push_back({vertical == 30 ? 130 : vertical, of_head(config.slash_size, head)});
    }
    std::vector<SegmentSizes> out;
    for (const Segment& segment : segments) {
        SegmentSizes sizes{asked, {0, 0}};
        for (HeadSizes& head : sizes.heads) {
            sizes.capacity.vertical = std::max(sizes.capacity.vertical, std::min(head.vertical, segment.key_end()));
            sizes.capacity.slash = std::max(sizes.capacity.slash, head.slash);
            head = {std::min(head.vertical, segment.key_end()), std::min(head.slash, segment.key_end())};
        }
        if (config.rules.persistent_clamp) asked = sizes.heads;
        out.push_back(std::move(sizes));
    }
    return out;
}

}  // namespace dca::sparse
