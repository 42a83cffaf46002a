#include "verify/diagnose/key_masses.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/parallel.hpp"
#include "reference/math/rotations.hpp"

namespace dca::verify {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t slice_keys = 4096;

std::size_t size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// A softmax over the keys of one cell, with a running maximum.
struct Cell {
    std::int64_t column = 0;
    Mode mode = Mode::intra;
    double top = -infinity, sum = 0;
    std::vector<double> out;

    void add(double logit, const double* value) {
        if (logit > top) {
            const double shrink = std::exp(top - logit);
            sum *= shrink;
            for (double& x : out) x *= shrink;
            top = logit;
        }
        const double p = std::exp(logit - top);
        sum += p;
        for (std::size_t c = 0; c < out.size(); ++c) out[c] += p * value[c];
    }
};

class RowPass {
public:
    RowPass(const Problem& problem, const Inputs& inputs, const reference::Sequence& sequence,
            const reference::Rotations& rotations, std::int64_t head, std::int64_t row, std::int64_t chunks_per_column)
        : chunk_len_(problem.chunk.chunk_len()),
          index_(sequence.offset + row - sequence.query_begin),
          step_(chunks_per_column),
          scale_(problem.resolved_softmax_scale()) {
        const double* q = &inputs.q(sequence.batch, row, head, 0);
        std::vector<double> angles(rotations.angles_size());
        for (std::size_t m = 0; m < all_modes.size(); ++m) {
            turned_[m].resize(size(problem.shape.head_dim));
            if (index_ < 0) continue;
            rotations.query_angles(QueryIndex(index_), all_modes[m], angles.data());
            rotations.rotate_query(angles.data(), QueryIndex(index_), q, turned_[m].data());
        }
        channels_ = size(problem.shape.head_dim_v);
    }

    /// Keys from `first` on, turned, and their values: rows of head_dim and of value_stride.
    void add(std::int64_t first, std::int64_t count, const double* keys, const double* values, std::int64_t stride) {
        const std::int64_t own = index_ / chunk_len_, d = static_cast<std::int64_t>(turned_[0].size());
        for (std::int64_t j = first; j < std::min(first + count, index_ + 1); ++j) {
            const std::int64_t chunk = j / chunk_len_;
            const Mode mode = chunk == own ? Mode::intra : chunk + 1 == own ? Mode::succ : Mode::inter;
            if (cells_.empty() || cells_.back().mode != mode || cells_.back().column != chunk / step_) {
                cells_.push_back({chunk / step_, mode, -infinity, 0, std::vector<double>(channels_)});
            }
            const double* key = keys + (j - first) * d;
            const std::vector<double>& query = turned_[static_cast<std::size_t>(mode)];
            double logit = 0;
            for (std::int64_t e = 0; e < d; ++e) logit += query[size(e)] * key[e];
            cells_.back().add(logit * scale_, values + (j - first) * stride);
        }
    }

    [[nodiscard]] RowCells finish() const {
        RowCells result;
        result.chunks_per_column = step_;
        double top = -infinity, whole = 0;
        for (const Cell& one : cells_) top = std::max(top, one.top);
        for (const Cell& one : cells_) whole += one.sum * std::exp(one.top - top);
        for (const Cell& one : cells_) {
            result.mass.push_back(one.sum * std::exp(one.top - top) / whole);
            for (const double x : one.out) result.out.push_back(x / one.sum);
            result.column.push_back(one.column);
            result.mode.push_back(one.mode);
        }
        return result;
    }

private:
    std::int64_t chunk_len_, index_, step_;
    double scale_;
    std::size_t channels_ = 0;
    std::array<std::vector<double>, 3> turned_;
    std::vector<Cell> cells_;
};

}  // namespace

RowCells RowCells::by_mode() const {
    RowCells joined;
    joined.chunks_per_column = chunks_per_column;
    const std::size_t channels = mass.empty() ? 0 : out.size() / mass.size();
    for (const Mode one : all_modes) {
        double sum = 0;
        std::vector<double> mean(channels);
        for (std::size_t g = 0; g < mass.size(); ++g) {
            if (mode[g] != one) continue;
            sum += mass[g];
            for (std::size_t c = 0; c < channels; ++c) mean[c] += mass[g] * out[g * channels + c];
        }
        if (!(sum > 0)) continue;
        for (const double x : mean) joined.out.push_back(x / sum);
        joined.mass.push_back(sum);
        joined.mode.push_back(one);
        joined.column.push_back(0);
    }
    return joined;
}

std::vector<RowCells> key_masses(const Problem& problem, const Inputs& inputs, std::int64_t batch, std::int64_t head,
                                 std::span<const std::int64_t> rows, std::int64_t most_cells) {
    std::vector<RowCells> result(rows.size());
    const std::int64_t chunk_len = problem.chunk.chunk_len(), d = problem.shape.head_dim;
    const std::int64_t kv_head = head / (problem.shape.heads_q / problem.shape.heads_kv);
    for (const reference::Sequence& sequence : reference::sequences(problem)) {
        if (sequence.batch != batch) continue;
        std::vector<std::size_t> mine;
        for (std::size_t n = 0; n < rows.size(); ++n) {
            if (rows[n] >= sequence.query_begin && rows[n] < sequence.query_end) mine.push_back(n);
        }
        if (mine.empty()) continue;
        const std::int64_t chunks = (sequence.key_count() + chunk_len - 1) / chunk_len;
        const std::int64_t room = std::max<std::int64_t>(1, most_cells - 2);
        const std::int64_t step = chunks <= most_cells ? 1 : (chunks + room - 1) / room;
        const reference::Rotations rotations(problem, sequence);
        std::vector<RowPass> passes;
        for (const std::size_t n : mine) passes.emplace_back(problem, inputs, sequence, rotations, head, rows[n], step);
        std::vector<double> keys(size(slice_keys * d)), angles(rotations.angles_size());
        for (std::int64_t first = 0; first < sequence.key_count(); first += slice_keys) {
            const std::int64_t count = std::min(slice_keys, sequence.key_count() - first);
            for (std::int64_t j = first; j < first + count; ++j) {
                rotations.key_angles(KeyIndex(j), angles.data());
                rotations.rotate_key(angles.data(), KeyIndex(j), &inputs.k(batch, sequence.key_begin + j, kv_head, 0),
                                     &keys[size((j - first) * d)]);
            }
            const double* values = &inputs.v(batch, sequence.key_begin + first, kv_head, 0);
            const double work = static_cast<double>(count * d * 2) * static_cast<double>(passes.size());
            reference::parallel_for(static_cast<std::int64_t>(passes.size()), work, [&](std::int64_t p) {
                passes[size(p)].add(first, count, keys.data(), values,
                                    problem.shape.heads_kv * problem.shape.head_dim_v);
            });
        }
        for (std::size_t p = 0; p < mine.size(); ++p) result[mine[p]] = passes[p].finish();
    }
    return result;
}

}  // namespace dca::verify
