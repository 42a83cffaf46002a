// The reference's position maps (Def.2, Def.3) and those of the published dialects.
#pragma once

#include <optional>

#include "reference/spec/bundles.hpp"
#include "reference/spec/index.hpp"
#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// The rotary positions of a problem's dialect (Def.2, docs/dialects.md). Integers, except where rope_scaling linear
/// divides positions; then the quotients are formed in float32, as the published code forms them.
class PositionMap {
public:
    /// Throws Unsupported where no dialect has the problem's name.
    explicit PositionMap(const Problem& problem);

    /// Precondition: i, j >= 0.
    [[nodiscard]] double key(KeyIndex j) const;
    [[nodiscard]] double query(QueryIndex i, Mode mode) const;

private:
    [[nodiscard]] double divided(double position) const;
    [[nodiscard]] double next_chunk(double in_chunk) const;

    SuccRule succ_;
    InterRule inter_;
    LinearScaling linear_;
    double chunk_len_, chunk_size_, window_;
    float factor_;  ///< 1 where positions are not divided
};

/// The dialect of a problem. Throws Unsupported, naming those there are, where it has none of that name.
[[nodiscard]] const Dialect& dialect_of(const Problem& problem);

/// Mode of a pair, nothing where the key is not visible (j > i).
[[nodiscard]] std::optional<Mode> pair_mode(const ChunkConfig& chunk, QueryIndex i, KeyIndex j);

/// One independent sequence of a problem: rows [query_begin, query_end) of the query axis and [key_begin, key_end) of
/// the key axis of batch entry `batch`; query row query_begin has absolute index `offset` among these keys.
struct Sequence {
    std::int64_t batch;
    std::int64_t query_begin, query_end;
    std::int64_t key_begin, key_end;
    std::int64_t offset;
    std::int64_t number = 0;  ///< batch entry, or cu_seqlens interval
    [[nodiscard]] std::int64_t query_count() const { return query_end - query_begin; }
    [[nodiscard]] std::int64_t key_count() const { return key_end - key_begin; }
};

/// The sequences of a problem: one per batch entry, or one per cu_seqlens interval (empty ones left out).
[[nodiscard]] std::vector<Sequence> sequences(const Problem& problem);

/// Keys [begin, end) of one sequence that queries of chunk c see in one mode; intra is causal, the others are full.
struct KeySpan {
    Mode mode;
    std::int64_t begin, end;
};

/// The spans of the queries of chunk c among key_count keys, in the order inter, succ, intra; empty spans left out.
[[nodiscard]] std::vector<KeySpan> key_spans(const ChunkConfig& chunk, ChunkIndex c, std::int64_t key_count);

/// Which modes touch each query row and each key row.
[[nodiscard]] RowRegions row_regions(const Problem& problem);

}  // namespace dca::reference
