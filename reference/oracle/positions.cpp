#include "reference/oracle/positions.hpp"

#include <algorithm>

namespace dca::oracle {
namespace {

std::int64_t chunk_start(const ChunkConfig& chunk, KeyIndex j) {
    return j.value() / chunk.chunk_len() * chunk.chunk_len();
}

}  // namespace

bool visible(QueryIndex i, KeyIndex j) {
    return j.value() <= i.value();
}

Mode pair_mode(const ChunkConfig& chunk, QueryIndex i, KeyIndex j) {
    expects(visible(i, j), "pair_mode: the query does not see the key");
    const std::int64_t start = chunk_start(chunk, j);
    const std::int64_t L = chunk.chunk_len();
    if (i.value() < start + L) return Mode::intra;
    if (i.value() < start + 2 * L) return Mode::succ;
    return Mode::inter;
}

// Measured from the start of the key's chunk, the key stands at j - start and the query at i - start, only that the
// query never counts as farther than the end of the next chunk, 2L - 1 (that is inter), nor than C (that is the clamp
// of succ and inter). Within the key's own chunk neither limit is reached.
RelativePosition relative_position(const ChunkConfig& chunk, QueryIndex i, KeyIndex j) {
    expects(visible(i, j), "relative_position: the query does not see the key");
    const std::int64_t start = chunk_start(chunk, j);
    const std::int64_t query = std::min({i.value() - start, 2 * chunk.chunk_len() - 1, chunk.chunk_size});
    return RelativePosition(query - (j.value() - start));
}

std::int64_t Sequence::visible_keys(std::int64_t row) const {
    return std::clamp<std::int64_t>(query(row).value() + 1, 0, keys);
}

std::vector<Sequence> sequences(const Problem& problem) {
    std::vector<Sequence> found;
    if (problem.packed()) {
        for (std::size_t s = 0; s + 1 < problem.cu_seqlens.size(); ++s) {
            const std::int64_t begin = problem.cu_seqlens[s];
            const std::int64_t length = problem.cu_seqlens[s + 1] - begin;
            found.push_back({.first_query = begin, .queries = length, .first_key = begin, .keys = length});
        }
        return found;
    }
    for (std::int64_t b = 0; b < problem.shape.batch; ++b) {
        found.push_back({.batch = b,
                         .queries = problem.shape.seq_q,
                         .keys = problem.shape.seq_k,
                         .offset = problem.resolved_query_offset()});
    }
    return found;
}

}  // namespace dca::oracle
