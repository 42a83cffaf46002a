#include "reference/sparse/selection.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "reference/sparse/arithmetic.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Softmax of the scores in place, columns in ascending order.
void normalize(std::span<double> scores) {
    double maximum = -infinity, sum = 0;
    for (double score : scores) {
        if (!std::isfinite(score)) throw InvalidProblem("the logits of the sparse selection overflow double precision");
        maximum = std::max(maximum, score);
    }
    for (double& score : scores) {
        score = exp_nonpositive(score - maximum);
        sum += score;
    }
    for (double& score : scores) score /= sum;
}

/// picked: ascending.
double margin_of(std::span<const double> votes, std::span<const std::int64_t> picked) {
    double least = infinity, most = -1;
    for (std::int64_t n = 0; n < static_cast<std::int64_t>(votes.size()); ++n) {
        const double vote = votes[static_cast<std::size_t>(n)];
        if (std::binary_search(picked.begin(), picked.end(), n)) {
            least = std::min(least, vote);
        } else {
            most = std::max(most, vote);
        }
    }
    if (most < 0) return infinity;
    constexpr double smallest = 0x1p-100;
    if (most == infinity || least < smallest) return 0;
    if (least == infinity) return infinity;
    return plus_log(0, least / std::max(most, smallest));
}

}  // namespace

Votes votes(const SequenceRows& rows, const Segment& segment, std::int64_t head, std::int64_t last_q,
            std::span<const double> keys) {
    const Problem& problem = rows.problem();
    const std::int64_t dim = problem.shape.head_dim, end = segment.key_end();
    const std::int64_t voters = std::min(segment.rows(), last_q);
    Votes out{std::vector<double>(static_cast<std::size_t>(end)), std::vector<double>(static_cast<std::size_t>(end))};
    std::vector<double> query(static_cast<std::size_t>(dim)), scores(static_cast<std::size_t>(end));
    for (std::int64_t from_last = voters - 1; from_last >= 0; --from_last) {
        const std::int64_t visible = end - from_last;
        for (const reference::KeySpan& span : reference::key_spans(problem.chunk, segment.chunk, visible)) {
            rows.query(segment.row_end - 1 - from_last, head, span.mode, QueryKind::critical, query.data());
            for (std::int64_t j = span.begin; j < span.end; ++j) {
                scores[static_cast<std::size_t>(j)] = dot(query.data(), &keys[static_cast<std::size_t>(j * dim)], dim);
            }
        }
        normalize(std::span(scores).first(static_cast<std::size_t>(visible)));
        for (std::int64_t j = 0; j < visible; ++j) {
            const double p = scores[static_cast<std::size_t>(j)];
            out.vertical[static_cast<std::size_t>(j)] += p;
            out.slash[static_cast<std::size_t>(j + from_last)] += p;
        }
    }
    return out;
}

std::vector<std::int64_t> largest(std::span<const double> scores, std::int64_t count) {
    std::vector<std::int64_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const auto first = [&](std::int64_t a, std::int64_t b) {
        const double x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    };
    const auto kept = static_cast<std::ptrdiff_t>(std::min(count, static_cast<std::int64_t>(scores.size())));
    if (kept < static_cast<std::ptrdiff_t>(order.size())) {
        std::nth_element(order.begin(), order.begin() + kept, order.end(), first);
        order.resize(static_cast<std::size_t>(kept));
    }
    std::sort(order.begin(), order.end());
    return order;
}

Votes forced(Votes votes, const SparseConfig& config) {
    const auto end = static_cast<std::int64_t>(votes.vertical.size());
    std::fill_n(votes.vertical.begin(), std::min(config.forced_verticals, end), infinity);
    std::fill_n(votes.slash.rbegin(), std::min(config.forced_slashes, end), infinity);
    return votes;
}

Picks picks(const Votes& forced, const HeadSizes& sizes) {
    return {largest(forced.vertical, sizes.vertical), largest(forced.slash, sizes.slash)};
}

double margin(const Votes& forced, const Picks& picks) {
    return std::min(margin_of(forced.vertical, picks.vertical), margin_of(forced.slash, picks.slash));
}

}  // namespace dca::sparse
