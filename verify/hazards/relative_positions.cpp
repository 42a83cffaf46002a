#include "verify/hazards/relative_positions.hpp"

#include <algorithm>

#include "reference/math/chunk_positions.hpp"

namespace dca::hazards {
namespace {

/// The relative positions of one problem.
class Relative {
public:
    explicit Relative(const Problem& problem) : chunk_(problem.chunk), map_(problem) {}

    [[nodiscard]] double operator()(std::int64_t i, std::int64_t j) const {
        const std::optional<Mode> mode = reference::pair_mode(chunk_, QueryIndex(i), KeyIndex(j));
        expects(mode.has_value(), "relative position of a key that is not visible");
        return map_.query(QueryIndex(i), *mode) - map_.key(KeyIndex(j));
    }
    /// Where the next chunk of keys begins: between two borders, M(i, j) + j does not depend on j.
    [[nodiscard]] std::int64_t next_border(std::int64_t j) const {
        return (j / chunk_.chunk_len() + 1) * chunk_.chunk_len();
    }

private:
    ChunkConfig chunk_;
    reference::PositionMap map_;
};

template <class Visit>
void for_each_pair(const Problem& problem, Visit visit) {
    const Relative relative(problem);
    for (std::int64_t i = 0; i < problem.shape.seq_k; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) visit(i, j, relative(i, j));
    }
}

bool wrong(std::int64_t i, std::int64_t j, double relative) {
    return relative != static_cast<double>(i - j);
}

}  // namespace

double relative_position(const Problem& problem, std::int64_t i, std::int64_t j) {
    return Relative(problem)(i, j);
}

std::optional<std::int64_t> first_different_query(const Problem& a, const Problem& b) {
    const Relative of_a(a), of_b(b);
    const std::int64_t length = std::min(a.shape.seq_k, b.shape.seq_k);
    for (std::int64_t i = 0; i < length; ++i) {
        for (std::int64_t j = 0; j <= i; j = std::min(of_a.next_border(j), of_b.next_border(j))) {
            if (of_a(i, j) != of_b(i, j)) return i;
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> first_query_unlike_plain(const Problem& problem) {
    const Relative relative(problem);
    for (std::int64_t i = 0; i < problem.shape.seq_k; ++i) {
        for (std::int64_t j = 0; j <= i; j = relative.next_border(j)) {
            if (wrong(i, j, relative(i, j))) return i;
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> first_wrong_distance(const Problem& problem) {
    std::optional<std::int64_t> smallest;
    for_each_pair(problem, [&](std::int64_t i, std::int64_t j, double relative) {
        if (wrong(i, j, relative)) smallest = std::min(smallest.value_or(i - j), i - j);
    });
    return smallest;
}

std::int64_t wrong_pairs(const Problem& problem) {
    std::int64_t count = 0;
    for_each_pair(problem, [&](std::int64_t i, std::int64_t j, double relative) { count += wrong(i, j, relative); });
    return count;
}

std::int64_t visible_pairs(const Problem& problem) {
    std::int64_t count = 0;
    for_each_pair(problem, [&](std::int64_t, std::int64_t, double) { ++count; });
    return count;
}

}  // namespace dca::hazards
