#include "tests/reference/sparse/brute_force.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/oracle/frequencies.hpp"
#include "tests/reference/sparse/block_walk.hpp"

namespace dca::sparse_test {
namespace {

using I = std::int64_t;
using Real = long double;

/// One sequence: where its rows lie in the tensors.
struct Rows {
    I batch, query_begin, query_count, key_begin, key_count, offset;
};

std::vector<Rows> sequences_of(const Problem& p) {
    std::vector<Rows> out;
    const auto& cu = p.cu_seqlens;
    if (cu.empty()) {
        const I offset = p.query_offset.value_or(p.shape.seq_k - p.shape.seq_q);
        for (I b = 0; b < p.shape.batch; ++b) out.push_back({b, 0, p.shape.seq_q, 0, p.shape.seq_k, offset});
    }
    for (std::size_t n = 1; n < cu.size(); ++n) {
        const I begin = cu[n - 1], length = cu[n] - begin;
        if (length > 0) out.push_back({0, begin, length, begin, length, 0});
    }
    return out;
}

class Sequence {
public:
    Sequence(const Problem& problem, const Inputs& inputs, const sparse::SparseConfig& config, VotePositions positions,
             const LogitFactor& temperature, const Rows& rows)
        : p_(problem),
          in_(inputs),
          config_(config),
          positions_(positions),
          rows_(rows),
          len_(problem.chunk.chunk_size - problem.chunk.local_size),
          frequencies_(oracle::inverse_frequencies(problem, rows.key_count)),
          mscale_(oracle::mscale(problem.rope)),
          temperature_(temperature ? temperature(rows.key_count) : 1) {}

    /// tau T q(P) . k(j mod L).
    [[nodiscard]] Real score(I row, I head, I position, I j) const {
        const I at_q = rows_.query_begin + row, at_k = rows_.key_begin + j;
        const I kv = head * p_.shape.heads_kv / p_.shape.heads_q;
        const auto q = rotated(&in_.q(rows_.batch, at_q, head, 0), position);
        const auto k = rotated(&in_.k(rows_.batch, at_k, kv, 0), j % len_);
        Real sum = 0;
        for (std::size_t c = 0; c < q.size(); ++c) sum += q[c] * k[c];
        return temperature_ * p_.softmax_scale.value_or(1 / std::sqrt(static_cast<double>(p_.shape.head_dim))) * sum;
    }

    /// Position of query i for key j: mode 0 intra, 1 succ, 2 inter.
    [[nodiscard]] I position(I i, I j, bool voting) const {
        const I r = i % len_, apart = i / len_ - j / len_;
        if (apart == 0) return r;
        const bool clamp = !voting || positions_ == VotePositions::clamped;
        if (apart == 1) return clamp ? std::min(r + len_, p_.chunk.chunk_size) : r + len_;
        return clamp ? std::min(2 * len_ - 1, p_.chunk.chunk_size) : p_.chunk.chunk_size + r;
    }

    /// Picks and attended sets of one segment that starts at absolute index `first`.
    BruteSegment segment(I sequence, I head, I first, I last, I vertical_size, I slash_size, I vertical_table,
                         I slash_table) const {
        BruteSegment out{sequence, head, first, vertical_size, slash_size, {}, {}, {}};
        out.keys.assign(static_cast<std::size_t>(last - first), std::vector<std::set<I>>(3));
        const bool dense = prompt_length(sequence) <= config_.threshold;
        if (!dense) pick(out, head, first, last);
        const I chunk_begin = first / len_ * len_;
        const I bounds[] = {last, chunk_begin, chunk_begin - len_};
        for (int mode = 0; mode < 3; ++mode) {
            const I begin = mode == 0 ? chunk_begin : mode == 1 ? chunk_begin - len_ : 0;
            const I count = bounds[mode] - begin;
            if (begin < 0 || count <= 0) continue;
            if (dense) {
                for (I i = first; i < last; ++i) {
                    for (I j = begin; j < begin + count && j <= i; ++j) {
                        out.keys[static_cast<std::size_t>(i - first)][static_cast<std::size_t>(mode)].insert(j);
                    }
                }
                continue;
            }
            attend(out, mode, begin, count, last - first, vertical_table, slash_table);
        }
        return out;
    }

    void outputs(const BruteSegment& segment, Outputs& result) const {
        const I kv = segment.head * p_.shape.heads_kv / p_.shape.heads_q;
        for (std::size_t m = 0; m < segment.keys.size(); ++m) {
            const I i = segment.first_index + static_cast<I>(m), row = i - rows_.offset;
            Real largest = -std::numeric_limits<Real>::infinity(), sum = 0;
            std::vector<std::pair<I, Real>> scores;
            for (const auto& mode : segment.keys[m]) {
                for (I j : mode) {
                    scores.emplace_back(j, score(row, segment.head, position(i, j, false), j));
                    largest = std::max(largest, scores.back().second);
                }
            }
            if (scores.empty()) continue;
            std::vector<Real> out(static_cast<std::size_t>(p_.shape.head_dim_v));
            for (const auto& [j, s] : scores) {
                const Real weight = std::exp(s - largest);
                sum += weight;
                for (std::size_t c = 0; c < out.size(); ++c) {
                    out[c] += weight * in_.v(rows_.batch, rows_.key_begin + j, kv, static_cast<I>(c));
                }
            }
            const I at = rows_.query_begin + row;
            for (std::size_t c = 0; c < out.size(); ++c) {
                result.out(rows_.batch, at, segment.head, static_cast<I>(c)) = static_cast<double>(out[c] / sum);
            }
            result.lse(rows_.batch, segment.head, at) = static_cast<double>(largest + std::log(sum));
        }
    }

private:
    [[nodiscard]] std::vector<Real> rotated(const double* row, I position) const {
        std::vector<Real> out(row, row + p_.shape.head_dim);
        const auto pairs = static_cast<I>(frequencies_.size());
        for (I k = 0; k < pairs; ++k) {
            const bool interleaved = p_.rope.layout == RopeLayout::interleaved;
            const I a = interleaved ? 2 * k : k, b = interleaved ? 2 * k + 1 : k + pairs;
            const Real angle = static_cast<Real>(position) * frequencies_[static_cast<std::size_t>(k)];
            const Real cos = mscale_ * std::cos(angle), sin = mscale_ * std::sin(angle);
            out[static_cast<std::size_t>(a)] = row[a] * cos - row[b] * sin;
            out[static_cast<std::size_t>(b)] = row[b] * cos + row[a] * sin;
        }
        return out;
    }

    [[nodiscard]] I prompt_length(I sequence) const {
        if (config_.prompt_length.empty()) return rows_.offset + rows_.query_count;
        return config_.prompt_length.size() == 1 ? config_.prompt_length[0]
                                                 : config_.prompt_length[static_cast<std::size_t>(sequence)];
    }

    static std::set<I> top(std::vector<Real> scores, I count) {
        std::set<I> out;
        for (; static_cast<I>(out.size()) < count && out.size() < scores.size();) {
            I best = -1;
            for (I n = 0; n < static_cast<I>(scores.size()); ++n) {
                if (out.count(n)) continue;
                if (best < 0 || scores[static_cast<std::size_t>(n)] > scores[static_cast<std::size_t>(best)]) best = n;
            }
            out.insert(best);
        }
        return out;
    }

    void pick(BruteSegment& out, I head, I first, I last) const {
        const I voters = std::min(last - first, config_.last_q);
        std::vector<Real> vertical(static_cast<std::size_t>(last)), slash(static_cast<std::size_t>(last));
        for (I i = last - voters; i < last; ++i) {
            std::vector<Real> p;
            for (I j = 0; j <= i; ++j) p.push_back(score(i - rows_.offset, head, position(i, j, true), j));
            const Real largest = *std::max_element(p.begin(), p.end());
            Real sum = 0;
            for (Real& x : p) sum += x = std::exp(x - largest);
            for (I j = 0; j <= i; ++j) {
                vertical[static_cast<std::size_t>(j)] += p[static_cast<std::size_t>(j)] / sum;
                slash[static_cast<std::size_t>(j + last - 1 - i)] += p[static_cast<std::size_t>(j)] / sum;
            }
        }
        for (I j = 0; j < last; ++j) {
            if (j < config_.forced_verticals) vertical[static_cast<std::size_t>(j)] = HUGE_VALL;
            if (j >= last - config_.forced_slashes) slash[static_cast<std::size_t>(j)] = HUGE_VALL;
        }
        out.vertical = top(vertical, out.vertical_size);
        out.slash = top(slash, out.slash_size);
    }

    [[nodiscard]] std::vector<I> fallback(I k, I size, I table) const {
        std::vector<I> out;
        if (config_.rules.fallback == sparse::Fallback::fifths) {
            const Real step = std::max<Real>(1, k / Real{5});
            for (I n = 0; n < std::ceil(k / step); ++n) out.push_back(n * static_cast<I>(step));
        } else {
            const I count = std::min(size, k), step = static_cast<I>(std::ceil(static_cast<Real>(k) / count));
            for (I x = 0; x < k && static_cast<I>(out.size()) < count; x += step) out.push_back(x);
        }
        if (static_cast<I>(out.size()) > table) throw Refused("the fallback is longer than its table");
        return out;
    }

    void attend(BruteSegment& out, int mode, I begin, I count, I rows, I vertical_table, I slash_table) const {
        Walk tile{mode == 0, count, rows, 0, config_.block, {}, {}};
        for (I v : out.vertical) {
            if (v >= begin && v < begin + count) tile.vertical.push_back(v - begin);
        }
        if (tile.vertical.empty()) tile.vertical = fallback(count, out.vertical_size, vertical_table);
        const I chunk_begin = out.first_index / len_ * len_, last = out.first_index + rows;
        for (I t : out.slash) {
            if (mode == 0 && t >= chunk_begin) tile.slash.push_back(last - 1 - t);
            if (mode == 1 && t >= chunk_begin - len_ && t < chunk_begin + rows)
                tile.slash.push_back(chunk_begin + rows - 1 - t);
            if (mode == 2 && t < chunk_begin - len_ + rows) tile.slash.push_back(chunk_begin - len_ + rows - 1 - t);
        }
        if (tile.slash.empty()) {
            if (mode == 0 && !config_.rules.intra_slash_fallback) throw Refused("no slash within the chunk");
            tile.slash = fallback(count, out.slash_size, slash_table);
        }
        std::sort(tile.slash.rbegin(), tile.slash.rend());
        for (; tile.tile_start < rows; tile.tile_start += config_.block) {
            const std::set<I> local = walk(tile);
            for (I m = tile.tile_start; m < std::min(rows, tile.tile_start + config_.block); ++m) {
                for (I key : local) {
                    if (mode == 0 && begin + key > out.first_index + m) continue;
                    out.keys[static_cast<std::size_t>(m)][static_cast<std::size_t>(mode)].insert(begin + key);
                }
            }
        }
    }

    const Problem& p_;
    const Inputs& in_;
    const sparse::SparseConfig& config_;
    VotePositions positions_;
    Rows rows_;
    I len_;
    std::vector<double> frequencies_;
    Real mscale_, temperature_;
};

}  // namespace

BruteResult brute_force(const Problem& problem, const Inputs& inputs, const sparse::SparseConfig& config,
                        VotePositions positions, const LogitFactor& temperature) {
    BruteResult result{{}, {Tensor4(out_extents(problem.shape)), Tensor3(lse_extents(problem.shape))}};
    std::ranges::fill(result.outputs.lse.values(), -std::numeric_limits<double>::infinity());
    const I len = problem.chunk.chunk_size - problem.chunk.local_size;
    I index = 0;
    for (const Rows& rows : sequences_of(problem)) {
        const Sequence sequence(problem, inputs, config, positions, temperature, rows);
        const I end = rows.offset + rows.query_count;
        std::vector<std::vector<BruteSegment>> by_head(static_cast<std::size_t>(problem.shape.heads_q));
        std::vector<I> v, s;
        for (std::size_t h = 0; h < by_head.size(); ++h) {
            v.push_back(config.vertical_size[config.vertical_size.size() == 1 ? 0 : h]);
            if (v.back() == 30) v.back() += 100;
            s.push_back(config.slash_size[config.slash_size.size() == 1 ? 0 : h]);
        }
        for (I first = std::max<I>(0, rows.offset); first < end;) {
            const I last = std::min(end, (first / len + 1) * len);
            const I vertical_table = std::min(last, *std::max_element(v.begin(), v.end()));
            const I slash_table = *std::max_element(s.begin(), s.end());
            for (std::size_t h = 0; h < by_head.size(); ++h) {
                const I own_v = std::min(v[h], last), own_s = std::min(s[h], last);
                by_head[h].push_back(
                    sequence.segment(index, static_cast<I>(h), first, last, own_v, own_s, vertical_table, slash_table));
                sequence.outputs(by_head[h].back(), result.outputs);
                if (!config.rules.persistent_clamp) continue;
                v[h] = own_v;
                s[h] = own_s;
            }
            first = last;
        }
        for (auto& head : by_head) {
            for (auto& segment : head) result.segments.push_back(std::move(segment));
        }
        ++index;
    }
    return result;
}

}  // namespace dca::sparse_test
