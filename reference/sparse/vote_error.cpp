#include "reference/sparse/vote_error.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "reference/math/rope_frequencies.hpp"
#include "reference/noise/pair_energy.hpp"
#include "reference/noise/precision.hpp"
#include "reference/sparse/arithmetic.hpp"

namespace dca::sparse {
namespace {

/// The largest norm of a row, and the largest mean square of each of its rotary pairs.
struct Largest {
    Largest(const reference::noise::PairEnergy& pairs, std::int64_t head_dim)
        : energy(pairs), dim(head_dim), row_energy(columns()), pair(columns()) {}
    void include(const double* row) {
        norm = std::max(norm, std::sqrt(dot(row, row, dim)));
        energy.measure(row, row_energy.data());
        for (std::size_t k = 0; k < pair.size(); ++k) pair[k] = std::max(pair[k], row_energy[k]);
    }
    [[nodiscard]] std::size_t columns() const { return static_cast<std::size_t>(energy.columns()); }

    const reference::noise::PairEnergy& energy;
    std::int64_t dim;
    double norm = 0;
    std::vector<double> row_energy, pair;
};

}  // namespace

double vote_error_bound(const SequenceRows& rows, const Segment& segment, std::int64_t head, std::int64_t last_q,
                        std::span<const double> keys) {
    const Problem& problem = rows.problem();
    const std::int64_t dim = problem.shape.head_dim, len = problem.chunk.chunk_len();
    const std::int64_t voters = std::min(segment.rows(), last_q), end = segment.key_end();
    const reference::noise::PairEnergy energy(problem.rope.layout, static_cast<int>(dim),
                                              problem.resolved_rotary_dim());
    Largest queries(energy, dim), others(energy, dim);
    std::vector<double> query(static_cast<std::size_t>(dim));
    for (std::int64_t row = segment.row_end - voters; row < segment.row_end; ++row) {
        rows.query(row, head, Mode::intra, QueryKind::critical, query.data());  // rotation keeps the norms
        queries.include(query.data());
    }
    for (std::int64_t j = 0; j < end; ++j) others.include(&keys[static_cast<std::size_t>(j * dim)]);
    const double logit = queries.norm * others.norm;  // |s| and every partial sum of it are below
    // What turning all pairs by position times frequency moves the logit at most.
    const std::vector<double> frequencies = reference::inv_freq(problem, rows.sequence().key_count());
    double turned = 0;
    for (std::size_t k = 0; k < frequencies.size(); ++k) {
        turned += std::abs(frequencies[k]) * 2 * std::sqrt(queries.pair[k] * others.pair[k]);
    }
    const auto p = reference::noise::precision_of(problem);
    // An operand: three roundings of u each move it by at most sqrt(2) u of its norm, 4.25 u in all; Precision::rotated
    // is u^2, or u^2 / 3 where there is one rounding.
    const double operands = 2 * 4.25 * std::sqrt(3 * p.rotated);
    // The query times tau and the score, in the activation dtype.
    const double activations = 2 * p.output;
    const double sum = static_cast<double>(dim + 4) * p.accumulator;
    // Inverse frequency and product of each angle, two roundings of the one, one of the other; then cos and sin.
    const std::int64_t of_query = end <= len ? end : end <= 2 * len ? 2 * len : problem.chunk.chunk_size + len;
    const double positions = static_cast<double>(of_query + std::min(end, len));
    const double of_logit = logit * (operands + activations + sum + 4 * p.angle) + 3 * p.angle * positions * turned;
    // p has the error of its logit and that of the denominator; exp is off by its argument's rounding, at most twice
    // |logit|, and 2 ulp; then the sums over keys and voters.
    return 2 * of_logit + p.accumulator * (4 * logit + 8 + static_cast<double>(end + voters));
}

}  // namespace dca::sparse
