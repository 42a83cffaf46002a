// Chunk-summary attention as docs/chunk_summary.md defines it, one token and one pair at a time, in any number type.
// Slow on purpose.
#pragma once

#include <vector>

#include "reference/chunk_summary/oracle/numbers.hpp"
#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::chunk_summary::oracle {

/// One sequence through the network. Precondition: the problem is valid and the bundle fills it.
template <class S>
class Definition {
public:
    using Row = std::vector<S>;
    using Rows = std::vector<Row>;

    Definition(const Problem& problem, const Bundle<S>& bundle) : p_(problem), bundle_(bundle) {}

    /// The output rows of sequence `sequence`.
    [[nodiscard]] Rows output(std::int64_t sequence) const {
        Rows rows;
        const S* first = bundle_[TensorId::x].data() + sequence * p_.seq_len * p_.embed;
        for (std::int64_t t = 0; t < p_.seq_len; ++t, first += p_.embed) rows.emplace_back(first, first + p_.embed);
        if (p_.scope == Scope::attention) return attention(rows, 0);
        if (p_.scope == Scope::block) return block(rows, 0);
        return model(std::move(rows));
    }

private:
    static S number(double value) { return S(Quad(value)); }
    static S dot(const Row& a, const Row& b) { return Arithmetic<S>::dot(a, b); }
    static S sum(const Row& a) { return Arithmetic<S>::sum(a); }

    /// A parameter vector of `length` numbers of one layer.
    [[nodiscard]] Row vector(TensorId id, std::int64_t layer, std::int64_t length) const {
        const S* first = bundle_[id].data() + layer * length;
        return {first, first + length};
    }

    /// y_j = sum_i x_i w_ij + b_j.
    [[nodiscard]] Rows dense(const Rows& rows, TensorId weight, TensorId bias, std::int64_t layer,
                             std::int64_t outputs) const {
        const auto inputs = static_cast<std::int64_t>(rows.front().size());
        const Row b = vector(bias, layer, outputs);
        Rows result(rows.size());
        for (std::int64_t j = 0; j < outputs; ++j) {
            Row column;
            for (std::int64_t i = 0; i < inputs; ++i) {
                column.push_back(bundle_[weight][static_cast<std::size_t>((layer * inputs + i) * outputs + j)]);
            }
            for (std::size_t t = 0; t < rows.size(); ++t) {
                result[t].push_back(dot(rows[t], column) + b[static_cast<std::size_t>(j)]);
            }
        }
        return result;
    }

    /// S.7.
    [[nodiscard]] Rows layer_norm(const Rows& rows, TensorId scale, TensorId shift, std::int64_t layer) const {
        const Row a = vector(scale, layer, p_.hidden), b = vector(shift, layer, p_.hidden);
        const S size = number(static_cast<double>(p_.hidden));
        Rows result;
        for (const Row& row : rows) {
            const S mean = sum(row) / size;
            Row centred, squares;
            for (const S& x : row) centred.push_back(x - mean);
            for (const S& c : centred) squares.push_back(c * c);
            const S deviation = sqrt(sum(squares) / size + number(1e-5));
            Row normal;
            for (std::size_t c = 0; c < row.size(); ++c) normal.push_back(centred[c] / deviation * a[c] + b[c]);
            result.push_back(std::move(normal));
        }
        return result;
    }

    /// S.3: the weights of query t over keys 0 .. count - 1, of which those after t are masked.
    static Row weights(Row scores, std::size_t t) {
        for (std::size_t j = t + 1; j < scores.size(); ++j) scores[j] = number(-1e9);
        S top = scores.front();
        for (const S& score : scores) {
            if (top < score) top = score;
        }
        // Tied maxima are one number; as the mean of all of them it also has the gradient of S.6.
        Row tied;
        for (const S& score : scores) {
            if (!(score < top)) tied.push_back(score);
        }
        if (tied.size() > 1) top = sum(tied) / number(static_cast<double>(tied.size()));
        for (S& score : scores) score = exp(score - top);
        const S total = sum(scores) + number(1e-8);
        for (S& score : scores) score = score / total;
        return scores;
    }

    static Rows causal_attention(const Rows& q, const Rows& k, const Rows& v) {
        const S root = sqrt(number(static_cast<double>(q.front().size())));
        Rows out;
        for (std::size_t t = 0; t < q.size(); ++t) {
            Row scores;
            for (const Row& key : k) scores.push_back(dot(q[t], key) / root);
            const Row weight = weights(std::move(scores), t);
            Row mixed;
            for (std::size_t c = 0; c < v.front().size(); ++c) {
                Row channel;
                for (const Row& value : v) channel.push_back(value[c]);
                mixed.push_back(dot(weight, channel));
            }
            out.push_back(std::move(mixed));
        }
        return out;
    }

    /// S.4.
    static Row mean(const Rows& rows) {
        Row result;
        for (std::size_t c = 0; c < rows.front().size(); ++c) {
            Row channel;
            for (const Row& row : rows) channel.push_back(row[c]);
            result.push_back(sum(channel) / number(static_cast<double>(rows.size())));
        }
        return result;
    }

    /// Rows first .. first + count - 1, channels of one head of one third of the projection (S.2).
    [[nodiscard]] Rows part(const Rows& qkv, std::int64_t first, std::int64_t count, std::int64_t third,
                            std::int64_t head) const {
        const std::int64_t begin = third * p_.hidden + head * p_.head_dim();
        Rows out;
        for (std::int64_t t = first; t < first + count; ++t) {
            const auto row = qkv[static_cast<std::size_t>(t)].begin() + begin;
            out.emplace_back(row, row + p_.head_dim());
        }
        return out;
    }

    [[nodiscard]] Rows attention(const Rows& rows, std::int64_t layer) const {
        const Rows qkv = dense(rows, TensorId::w_qkv, TensorId::b_qkv, layer, 3 * p_.hidden);
        const Row gamma = vector(TensorId::gamma, layer, p_.hidden);
        Rows mixed(rows.size());
        for (std::int64_t head = 0; head < p_.heads; ++head) {
            Rows summaries[3], intra;
            for (std::int64_t first = 0; first < p_.seq_len; first += p_.chunk_size) {
                const Rows q = part(qkv, first, p_.chunk_size, 0, head), k = part(qkv, first, p_.chunk_size, 1, head),
                           v = part(qkv, first, p_.chunk_size, 2, head);
                summaries[0].push_back(mean(q));
                summaries[1].push_back(mean(k));
                summaries[2].push_back(mean(v));
                for (Row& row : causal_attention(q, k, v)) intra.push_back(std::move(row));
            }
            const Rows inter = causal_attention(summaries[0], summaries[1], summaries[2]);
            for (std::int64_t t = 0; t < p_.seq_len; ++t) {
                for (std::int64_t c = 0; c < p_.head_dim(); ++c) {
                    const S gate =
                        number(1) / (number(1) + exp(S{} - gamma[static_cast<std::size_t>(head * p_.head_dim() + c)]));
                    const S global = inter[static_cast<std::size_t>(t / p_.chunk_size)][static_cast<std::size_t>(c)];
                    const S local = intra[static_cast<std::size_t>(t)][static_cast<std::size_t>(c)];
                    mixed[static_cast<std::size_t>(t)].push_back(gate * global + (number(1) - gate) * local);
                }
            }
        }
        return dense(mixed, TensorId::w_out, TensorId::b_out, layer, p_.hidden);
    }

    /// S.8.
    static S gelu(const S& x) { return (erf(x / sqrt(number(2))) + number(1)) * x / number(2); }

    static Rows plus(Rows a, const Rows& b) {
        for (std::size_t t = 0; t < a.size(); ++t) {
            for (std::size_t c = 0; c < a[t].size(); ++c) a[t][c] = a[t][c] + b[t][c];
        }
        return a;
    }

    /// S.9.
    [[nodiscard]] Rows block(const Rows& rows, std::int64_t layer) const {
        const Rows between =
            plus(rows, attention(layer_norm(rows, TensorId::attn_norm_scale, TensorId::attn_norm_shift, layer), layer));
        Rows wide = dense(layer_norm(between, TensorId::ffn_norm_scale, TensorId::ffn_norm_shift, layer),
                          TensorId::w_up, TensorId::b_up, layer, p_.ffn_hidden());
        for (Row& row : wide) {
            for (S& x : row) x = gelu(x);
        }
        return plus(between, dense(wide, TensorId::w_down, TensorId::b_down, layer, p_.hidden));
    }

    /// S.10.
    [[nodiscard]] Rows model(Rows rows) const {
        if (p_.embed != p_.hidden) rows = dense(rows, TensorId::w_embed, TensorId::b_embed, 0, p_.hidden);
        for (std::int64_t layer = 0; layer < p_.layers; ++layer) rows = block(rows, layer);
        rows = layer_norm(rows, TensorId::final_norm_scale, TensorId::final_norm_shift, 0);
        if (p_.pooling == Pooling::all) return rows;
        return {p_.pooling == Pooling::mean_pool ? mean(rows) : rows.back()};
    }

    const Problem& p_;
    const Bundle<S>& bundle_;
};

}  // namespace dca::chunk_summary::oracle
