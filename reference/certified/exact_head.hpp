// Rows and columns of one kv head in balls of MPFR (Def.6, Def.9).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reference/certified/ball.hpp"
#include "reference/certified/operands.hpp"
#include "reference/math/parallel.hpp"
#include "reference/math/rope.hpp"
#include "reference/math/rope_frequencies.hpp"

namespace dca::certified {

template <unsigned Bits>
class ExactHead {
public:
    using X = Ball<Bits>;
    using Row = std::vector<X>;

    /// The softmax of one query row, and the mean of e_ij = dO_i (v_j - v_0) under it; dS_ij = p_ij (e_ij - mean).
    /// Differences of values keep what cancels exactly 0: a single key, equal values.
    struct RowSoftmax {
        X shift, denominator, mean;  ///< p_ij = exp(s_ij - shift) / denominator
    };

    ExactHead(const Context& context, std::int64_t kv_head) : context_(context), kv_head_(kv_head) {
        const Problem& problem = context.problem;
        const auto inv_freq = reference::inv_freq(problem, context.key_count);
        const double mscale = reference::mscale(reference::effective_rope(problem));
        for (const std::int64_t position : context.positions()) angles_[position].resize(inv_freq.size());
        const auto& positions = context.positions();
        reference::parallel_for(static_cast<std::int64_t>(positions.size()), 1e9, [&](std::int64_t n) {
            const std::int64_t position = positions[static_cast<std::size_t>(n)];
            auto& entry = angles_.at(position);
            for (std::size_t k = 0; k < inv_freq.size(); ++k) {
                entry[k] = X::cos_sin(position, inv_freq[k], mscale);
            }
            mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
        });
        keys_.resize(static_cast<std::size_t>(context.key_count));
        reference::parallel_for(context.key_count, 1e9, [&](std::int64_t j) {
            keys_[static_cast<std::size_t>(j)] = rotate(context.key_position(j), k_row(j));
        });
    }

    /// Absolute index of a row of the sequence.
    [[nodiscard]] std::int64_t index(std::int64_t row) const { return context_.sequence.offset + row; }
    [[nodiscard]] std::int64_t visible(std::int64_t row) const {
        return std::max<std::int64_t>(0, std::min(index(row) + 1, context_.key_count));
    }

    /// weights: exp(s_ij - shift) of the visible keys. with_mean: dout is present and the mean wanted.
    [[nodiscard]] RowSoftmax softmax(std::int64_t head, std::int64_t row, bool with_mean, Row& weights) const {
        const std::int64_t count = visible(row);
        const QueryInModes query(*this, head, row);
        weights.clear();
        std::size_t top = 0;
        for (std::int64_t j = 0; j < count; ++j) {
            weights.push_back(logit(query, row, j));
            if (weights[top] < weights.back()) top = weights.size() - 1;
        }
        RowSoftmax result;
        result.shift = count == 1 ? weights[top] : weights[top].centre();
        for (std::int64_t j = 0; j < count; ++j) {
            X& weight = weights[static_cast<std::size_t>(j)];
            weight = count == 1 ? X(1) : exp(weight - result.shift);
            result.denominator = result.denominator + weight;
            if (with_mean) result.mean = result.mean + weight * value_gradient(head, row, j);
        }
        if (with_mean) result.mean = result.mean / result.denominator;
        return result;
    }

    [[nodiscard]] X lse(const RowSoftmax& softmax, std::int64_t row) const {
        return visible(row) == 1 ? softmax.shift : softmax.shift + log(softmax.denominator);
    }
    [[nodiscard]] X out(const RowSoftmax& softmax, const Row& weights, int channel) const {
        X sum;
        for (std::size_t j = 0; j < weights.size(); ++j) {
            sum = sum + weights[j] * X(v_row(static_cast<std::int64_t>(j))[channel]);
        }
        return sum / softmax.denominator;
    }

    /// dq of one row, every channel.
    [[nodiscard]] Row query_gradient(std::int64_t head, std::int64_t row, const RowSoftmax& softmax,
                                     const Row& weights) const {
        Row total(static_cast<std::size_t>(context_.dim));
        for (const Mode mode : all_modes) {
            Row sum(total.size());
            for (std::size_t j = 0; j < weights.size(); ++j) {
                const auto key = static_cast<std::int64_t>(j);
                if (mode_of(row, key) != mode) continue;
                const X ds = weights[j] * (value_gradient(head, row, key) - softmax.mean);
                for (std::size_t e = 0; e < sum.size(); ++e) sum[e] = sum[e] + ds * keys_[j][e];
            }
            const Row back = rotate_back(context_.query_position(index(row), mode), sum);
            for (std::size_t e = 0; e < total.size(); ++e) total[e] = total[e] + back[e];
        }
        for (X& x : total) x = x * X(context_.softmax_scale) / softmax.denominator;
        return total;
    }

    /// dk and dv of one key, every channel. softmaxes: of every row, for each query head of the group.
    [[nodiscard]] std::pair<Row, Row> key_gradients(std::int64_t key,
                                                    const std::vector<std::vector<RowSoftmax>>& softmaxes) const {
        Row dk(static_cast<std::size_t>(context_.dim)), dv(static_cast<std::size_t>(context_.dim_v));
        for (std::size_t member = 0; member < softmaxes.size(); ++member) {
            const std::int64_t head = kv_head_ * context_.group + static_cast<std::int64_t>(member);
            for (std::int64_t row = 0; row < context_.sequence.query_count(); ++row) {
                if (key >= visible(row)) continue;
                const RowSoftmax& softmax = softmaxes[member][static_cast<std::size_t>(row)];
                const QueryInModes query(*this, head, row);
                const X p =
                    visible(row) == 1 ? X(1) : exp(logit(query, row, key) - softmax.shift) / softmax.denominator;
                const X ds = p * (value_gradient(head, row, key) - softmax.mean);
                const Row& q = query.rotated(mode_of(row, key));
                for (std::size_t e = 0; e < dk.size(); ++e) dk[e] = dk[e] + ds * q[e];
                const double* dout = dout_row(head, row);
                for (std::size_t c = 0; c < dv.size(); ++c) dv[c] = dv[c] + p * X(dout[c]);
            }
        }
        return {rotate_back(context_.key_position(key), dk), dv};
    }

private:
    /// A query as keys of each mode see it, times the softmax scale; rotated when asked for.
    class QueryInModes {
    public:
        QueryInModes(const ExactHead& owner, std::int64_t head, std::int64_t row)
            : owner_(owner), head_(head), row_(row) {}
        const Row& rotated(Mode mode) const {
            Row& found = rows_[static_cast<std::size_t>(mode)];
            if (found.empty()) {
                const std::int64_t position = owner_.context_.query_position(owner_.index(row_), mode);
                found = owner_.rotate(position, owner_.q_row(head_, row_));
                for (X& x : found) x = x * X(owner_.context_.softmax_scale);
            }
            return found;
        }

    private:
        const ExactHead& owner_;
        std::int64_t head_, row_;
        mutable std::array<Row, all_modes.size()> rows_;
    };

    [[nodiscard]] const double* q_row(std::int64_t head, std::int64_t row) const {
        const Sequence& seq = context_.sequence;
        return &context_.inputs.q(seq.batch, seq.query_begin + row, head, 0);
    }
    [[nodiscard]] const double* k_row(std::int64_t j) const {
        const Sequence& seq = context_.sequence;
        return &context_.inputs.k(seq.batch, seq.key_begin + j, kv_head_, 0);
    }
    [[nodiscard]] const double* v_row(std::int64_t j) const {
        const Sequence& seq = context_.sequence;
        return &context_.inputs.v(seq.batch, seq.key_begin + j, kv_head_, 0);
    }
    [[nodiscard]] const double* dout_row(std::int64_t head, std::int64_t row) const {
        const Sequence& seq = context_.sequence;
        return &(*context_.inputs.dout)(seq.batch, seq.query_begin + row, head, 0);
    }

    [[nodiscard]] Mode mode_of(std::int64_t row, std::int64_t key) const {
        return *reference::pair_mode(context_.problem.chunk, QueryIndex(index(row)), KeyIndex(key));
    }
    [[nodiscard]] X logit(const QueryInModes& query, std::int64_t row, std::int64_t key) const {
        const Row& q = query.rotated(mode_of(row, key));
        const Row& k = keys_[static_cast<std::size_t>(key)];
        X sum;
        for (std::size_t e = 0; e < q.size(); ++e) sum = sum + q[e] * k[e];
        return sum;
    }
    /// dO_i (v_j - v_0)
    [[nodiscard]] X value_gradient(std::int64_t head, std::int64_t row, std::int64_t key) const {
        const double *dout = dout_row(head, row), *v = v_row(key), *first = v_row(0);
        X sum;
        for (int c = 0; c < context_.dim_v; ++c) {
            if (v[c] != first[c]) sum = sum + X(dout[c]) * (X(v[c]) - X(first[c]));
        }
        return sum;
    }

    template <class T>
    [[nodiscard]] Row turn(std::int64_t position, bool back, const T* row) const {
        Row turned;
        for (int e = 0; e < context_.dim; ++e) turned.push_back(X(row[e]));
        const auto& angles = angles_.at(position);
        const auto pairs = static_cast<std::int64_t>(angles.size());
        for (std::int64_t k = 0; k < pairs; ++k) {
            const auto [first, second] = reference::rotary_pair(context_.problem.rope.layout, k, pairs);
            const auto& [cos, sin] = angles[static_cast<std::size_t>(k)];
            const X a = turned[static_cast<std::size_t>(first)], b = turned[static_cast<std::size_t>(second)];
            turned[static_cast<std::size_t>(first)] = back ? a * cos + b * sin : a * cos - b * sin;
            turned[static_cast<std::size_t>(second)] = back ? b * cos - a * sin : b * cos + a * sin;
        }
        return turned;
    }
    [[nodiscard]] Row rotate(std::int64_t position, const double* row) const { return turn(position, false, row); }
    [[nodiscard]] Row rotate_back(std::int64_t position, const Row& row) const {
        return turn(position, true, row.data());
    }

    const Context& context_;
    std::int64_t kv_head_;
    std::unordered_map<std::int64_t, std::vector<std::pair<X, X>>> angles_;
    std::vector<Row> keys_;
};

}  // namespace dca::certified
