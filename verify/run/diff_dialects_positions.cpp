// Where two dialects put a query and a key, and by what they multiply its logit, pair by pair over a whole case.
#include <algorithm>

#include "reference/math/chunk_positions.hpp"
#include "reference/math/temperature.hpp"
#include "verify/run/diff_dialects.hpp"

namespace dca::verify {
namespace {

using reference::KeySpan;
using reference::PositionMap;
using reference::Sequence;
using reference::TemperatureLaw;

/// Key positions are periodic in L: those of the first chunk.
std::vector<double> key_positions(const PositionMap& map, std::int64_t count) {
    std::vector<double> positions(static_cast<std::size_t>(count));
    for (std::int64_t j = 0; j < count; ++j) positions[static_cast<std::size_t>(j)] = map.key(KeyIndex(j));
    return positions;
}

class PairCounter {
public:
    PairCounter(const Both<PositionMap>& maps, const ChunkConfig& chunk, const Sequence& sequence)
        : maps_(maps), chunk_(chunk), sequence_(sequence) {
        const std::int64_t period = std::min(chunk.chunk_len(), sequence.key_count());
        for (std::size_t side = 0; side < 2; ++side) keys_[side] = key_positions(maps[side], period);
        same_keys_ = keys_[0] == keys_[1];
    }

    void count(PositionDifference& result) const {
        const std::int64_t end = sequence_.offset + sequence_.query_count();
        for (std::int64_t i = std::max<std::int64_t>(sequence_.offset, 0); i < end; ++i) {
            const ChunkIndex chunk(i / chunk_.chunk_len());
            for (const KeySpan& span : reference::key_spans(chunk_, chunk, sequence_.key_count())) {
                count_span(i, span.mode, span.begin, std::min(span.end, i + 1), result);
            }
        }
    }

private:
    [[nodiscard]] Both<double> relative(const Both<double>& query, std::int64_t j) const {
        const auto at = static_cast<std::size_t>(j % chunk_.chunk_len());
        return {query[0] - keys_[0][at], query[1] - keys_[1][at]};
    }

    void count_span(std::int64_t i, Mode mode, std::int64_t begin, std::int64_t end, PositionDifference& result) const {
        if (begin >= end) return;
        const Both<double> query{maps_[0].query(QueryIndex(i), mode), maps_[1].query(QueryIndex(i), mode)};
        ModePairs& pairs = result.modes[static_cast<std::size_t>(mode)];
        pairs.pairs += end - begin;
        if (same_keys_ && query[0] == query[1]) return;
        for (std::int64_t j = begin; j < end; ++j) {
            const Both<double> positions = relative(query, j);
            if (positions[0] == positions[1]) continue;
            if (!result.first) result.first = DifferentPair{sequence_.number, i, j, mode, positions};
            // With equal keys what differs for one key differs for all.
            pairs.different += same_keys_ ? end - begin : 1;
            if (same_keys_) return;
        }
    }

    const Both<PositionMap>& maps_;
    const ChunkConfig& chunk_;
    const Sequence& sequence_;
    Both<std::vector<double>> keys_;
    bool same_keys_ = false;
};

TemperatureEnds ends_of(const Problem& problem, const TemperatureLaw& law, const Sequence& sequence) {
    TemperatureEnds ends;
    ends.law = reference::dialect_of(problem).temperature;
    ends.reference = ends.law.length == TemperatureLength::longest_seen
                         ? problem.facts.max_position_embeddings
                         : problem.facts.original_max_position_embeddings;
    const std::int64_t first = std::max<std::int64_t>(sequence.offset, 0);
    const std::int64_t last = std::max(first, sequence.offset + sequence.query_count() - 1);
    ends.first_query = law.query(QueryIndex(first));
    ends.last_query = law.query(QueryIndex(last));
    ends.first_key = law.key(KeyIndex(0));
    ends.last_key = law.key(KeyIndex(sequence.key_count() - 1));
    return ends;
}

/// Every factor is 1 up to the reference and rises with the logarithm of the length: the shortest sequence on which the
/// two laws can differ.
std::optional<std::int64_t> first_length(const Both<TemperatureEnds>& ends) {
    const auto& [a, b] = ends;
    if (a.off() && b.off()) return std::nullopt;
    if (a.off() || b.off()) return *(a.off() ? b : a).reference + 1;
    if (a.reference != b.reference) return std::min(*a.reference, *b.reference) + 1;
    const bool same = a.law.coefficient == b.law.coefficient && a.law.length == b.law.length &&
                      a.law.generated_keys == b.law.generated_keys;
    return same ? std::nullopt : std::optional(*a.reference + 1);
}

}  // namespace

PositionDifference diff_positions(const Both<Problem>& problems) {
    const Both<PositionMap> maps{PositionMap(problems[0]), PositionMap(problems[1])};
    PositionDifference result;
    for (Mode mode : all_modes) result.modes[static_cast<std::size_t>(mode)].mode = mode;
    for (const Sequence& sequence : reference::sequences(problems[0])) {
        PairCounter(maps, problems[0].chunk, sequence).count(result);
    }
    return result;
}

TemperatureDifference diff_temperature(const Both<Problem>& problems) {
    TemperatureDifference result;
    bool shown = false;
    for (const Sequence& s : reference::sequences(problems[0])) {
        const Both<TemperatureLaw> laws{TemperatureLaw(problems[0], s), TemperatureLaw(problems[1], s)};
        std::optional<std::int64_t> query, key;
        for (std::int64_t i = std::max<std::int64_t>(s.offset, 0); i < s.offset + s.query_count() && !query; ++i) {
            if (laws[0].query(QueryIndex(i)) != laws[1].query(QueryIndex(i))) query = i;
        }
        for (std::int64_t j = 0; j < s.key_count() && !key; ++j) {
            if (laws[0].key(KeyIndex(j)) != laws[1].key(KeyIndex(j))) key = j;
        }
        if (shown && !query && !key) continue;
        result.sequence = s.number;
        result.first_query = query;
        result.first_key = key;
        for (std::size_t side = 0; side < 2; ++side) {
            result.ends[side] = ends_of(problems[side], laws[side], s);
            result.logit[side] = result.ends[side].last_query * laws[side].key(KeyIndex(key.value_or(0)));
        }
        shown = true;
        if (query || key) break;
    }
    result.first_length = first_length(result.ends);
    const auto& [a, b] = result.ends;
    const bool act = a.last_query * a.first_key != 1 && b.last_query * b.first_key != 1;
    const bool partial = problems[0].resolved_rotary_dim() != problems[0].shape.head_dim;
    result.other_dims = act && partial && a.law.place != b.law.place;
    return result;
}

}  // namespace dca::verify
