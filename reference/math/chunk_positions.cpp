#include "reference/math/chunk_positions.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/spec/error.hpp"

namespace dca::reference {

const Dialect& dialect_of(const Problem& problem) {
    const Dialect* dialect = find_dialect(problem.dialect);
    if (dialect == nullptr) {
        std::string known;
        for (const Dialect& one : dialects()) known += " " + std::string(one.name);
        throw Unsupported("dialect '" + problem.dialect + "' is not known; there are" + known);
    }
    return *dialect;
}

PositionMap::PositionMap(const Problem& problem)
    : succ_(dialect_of(problem).succ),
      inter_(dialect_of(problem).inter),
      linear_(dialect_of(problem).linear),
      chunk_len_(static_cast<double>(problem.chunk.chunk_len())),
      chunk_size_(static_cast<double>(problem.chunk.chunk_size)),
      window_(static_cast<double>(problem.facts.paper_window.value_or(problem.chunk.local_size))),
      factor_(1) {
    const bool divides = linear_ != LinearScaling::frequencies && problem.rope.scaling == RopeScaling::linear;
    if (divides) factor_ = static_cast<float>(problem.rope.factor.value_or(1));
}

double PositionMap::divided(double position) const {
    return factor_ == 1 ? position : static_cast<float>(position) / factor_;
}

double PositionMap::next_chunk(double in_chunk) const {
    const double sum = in_chunk + chunk_len_;
    return factor_ == 1 ? sum : static_cast<float>(sum);
}

double PositionMap::key(KeyIndex j) const {
    return divided(std::fmod(static_cast<double>(j.value()), chunk_len_));
}

double PositionMap::query(QueryIndex i, Mode mode) const {
    const double in_chunk = std::fmod(static_cast<double>(i.value()), chunk_len_);
    switch (mode) {
        case Mode::intra: return divided(in_chunk);
        case Mode::succ: {
            if (succ_ == SuccRule::windowed) {
                return divided(in_chunk < window_ ? in_chunk + chunk_len_ : chunk_size_ - 1);
            }
            const double r = linear_ == LinearScaling::positions_twice ? divided(in_chunk) : in_chunk;
            return divided(std::min(next_chunk(r), chunk_size_));
        }
        case Mode::inter: {
            if (inter_ == InterRule::chunk_size) return divided(chunk_size_);
            if (inter_ == InterRule::last_trained) return divided(chunk_size_ - 1);
            // The published codes take the last row of the succ table.
            const double r = linear_ == LinearScaling::positions_twice ? divided(chunk_len_ - 1) : chunk_len_ - 1;
            return divided(std::min(next_chunk(r), chunk_size_));
        }
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
            out.push_back({b, 0, s.seq_q, 0, s.seq_k, problem.resolved_query_offset(), b});
        }
        return out;
    }
    for (std::size_t n = 0; n + 1 < problem.cu_seqlens.size(); ++n) {
        const std::int64_t begin = problem.cu_seqlens[n], end = problem.cu_seqlens[n + 1];
        if (begin < end) out.push_back({0, begin, end, begin, end, 0, static_cast<std::int64_t>(n)});
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
