#include "golden/sample_rows.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "golden/philox.hpp"

namespace dca::golden {
namespace {

constexpr std::array<std::int64_t, 4> tile_sizes{64, 128, 192, 256};

/// Whole numbers drawn from the stream 8 of the generator (the tensors have 0 to 3 and 15 on).
class Draw {
public:
    explicit Draw(std::uint64_t seed) : seed_(seed) {}
    /// From 0 to count - 1; even but for 2^-64 count.
    std::int64_t below(std::int64_t count) {
        const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
        const PhiloxBlock block = philox4x32({low(next_), low(next_ >> 32), 8, 0}, {low(seed_), low(seed_ >> 32)});
        ++next_;
        const std::uint64_t word = std::uint64_t{block[1]} << 32 | block[0];
        return static_cast<std::int64_t>(static_cast<unsigned __int128>(word) * static_cast<std::uint64_t>(count) >>
                                         64);
    }

private:
    std::uint64_t seed_, next_ = 0;
};

class Selection {
public:
    Selection(std::int64_t rows, std::int64_t wanted) : rows_(rows), wanted_(std::min(rows, wanted)), limit_(wanted_) {}

    void take(std::int64_t row) {
        if (row >= 0 && row < rows_ && count() < limit_) chosen_.insert(row);
    }
    void take_between(std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row <= last; ++row) take(row);
    }
    /// At most this many rows until the next call.
    void limit(std::int64_t most) { limit_ = std::min(wanted_, most); }
    [[nodiscard]] bool full() const { return count() >= limit_; }
    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(chosen_.size()); }
    [[nodiscard]] std::int64_t wanted() const { return wanted_; }
    /// The row drawn, or the next one that is free.
    void take_free(std::int64_t row) {
        while (chosen_.contains(row)) row = (row + 1) % rows_;
        take(row);
    }
    [[nodiscard]] std::vector<std::int64_t> rows() const { return {chosen_.begin(), chosen_.end()}; }

private:
    std::int64_t rows_, wanted_, limit_;
    std::set<std::int64_t> chosen_;
};

void take_ends(Selection& selection, std::int64_t rows) {
    for (const std::int64_t row : {std::int64_t{0}, rows - 1, std::int64_t{1}, rows - 2}) selection.take(row);
    for (const std::int64_t tile : tile_sizes) {
        if (rows % tile != 0) selection.take(rows / tile * tile);
    }
}

/// Rows where offsets pass what 32-bit integers hold. Keys have the query row of the same absolute index.
void take_offsets(Selection& selection, const Problem& problem) {
    const Shape& shape = problem.shape;
    const std::int64_t shift = problem.resolved_query_offset();
    struct Axis {
        std::int64_t width, tokens, shift;
    };
    const std::array<Axis, 4> axes{Axis{shape.heads_q * shape.head_dim, shape.seq_q, 0},
                                   Axis{shape.heads_q * shape.head_dim_v, shape.seq_q, 0},
                                   Axis{shape.heads_kv * shape.head_dim, shape.seq_k, shift},
                                   Axis{shape.heads_kv * shape.head_dim_v, shape.seq_k, shift}};
    for (const std::int64_t limit : {std::int64_t{1} << 31, std::int64_t{1} << 32}) {
        for (const std::int64_t element : {1, 2, 4, 8}) {
            for (const Axis& axis : axes) {
                const std::int64_t token = limit / (axis.width * element);  // of all batch entries one after another
                if (token >= shape.batch * axis.tokens) continue;
                const std::int64_t row = token % axis.tokens - axis.shift;
                selection.take_between(row - 1, row + 1);
            }
        }
    }
}

/// The last two rows of one chunk and the first two of the next.
void take_chunk_borders(Selection& selection, const Problem& problem, Draw& draw) {
    const std::int64_t length = problem.chunk.chunk_len(), shift = problem.resolved_query_offset();
    const std::int64_t first = std::max<std::int64_t>(shift, 0) / length + 1;
    const std::int64_t last = (shift + problem.shape.seq_q - 1) / length;  // chunk numbers whose first row is asked for
    if (last < first) return;
    const auto take = [&](std::int64_t chunk) {
        const std::int64_t row = chunk * length - shift;
        for (const std::int64_t at : {row - 1, row, row + 1, row - 2}) selection.take(at);
    };
    for (const std::int64_t chunk : {first, last, first + 1}) {
        if (chunk <= last) take(chunk);
    }
    const std::int64_t borders = last - first + 1;
    for (std::int64_t n = 0; n < 4 * selection.wanted() && !selection.full(); ++n) take(first + draw.below(borders));
}

void take_tile_borders(Selection& selection, std::int64_t rows, Draw& draw) {
    for (std::int64_t n = 0; n < 4 * selection.wanted() && !selection.full(); ++n) {
        const std::int64_t tile = tile_sizes[static_cast<std::size_t>(n) % tile_sizes.size()];
        if (rows <= tile) continue;
        const std::int64_t row = tile * (1 + draw.below((rows - 1) / tile));
        selection.take_between(row - 1, row + 1);
    }
}

}  // namespace

std::int64_t sample_count(const CaseSpec& spec) {
    return std::max<std::int64_t>(0, std::min(spec.problem.shape.seq_q, spec.recipe.sample));
}

std::vector<std::int64_t> sample_rows(const CaseSpec& spec) {
    const std::int64_t rows = spec.problem.shape.seq_q;
    if (spec.recipe.sample <= 0) return {};
    Selection selection(rows, spec.recipe.sample);
    Draw draw(spec.recipe.seed);
    take_ends(selection, rows);
    take_offsets(selection, spec.problem);
    const std::int64_t share = (selection.wanted() + 2) / 3;
    selection.limit(selection.count() + share);
    take_chunk_borders(selection, spec.problem, draw);
    selection.limit(selection.count() + share);
    take_tile_borders(selection, rows, draw);
    selection.limit(selection.wanted());
    while (!selection.full()) selection.take_free(draw.below(rows));
    return selection.rows();
}

}  // namespace dca::golden
