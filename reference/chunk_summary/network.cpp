#include "reference/chunk_summary/network.hpp"

#include "reference/chunk_summary/attention.hpp"
#include "reference/chunk_summary/layers.hpp"
#include "reference/spec/error.hpp"

namespace dca::chunk_summary {
namespace {

using enum TensorId;

/// One call: a stack of blocks between an optional projection and the pooling.
class Network {
public:
    Network(const Problem& problem, const Inputs& inputs, Rounding& rounding)
        : p_(problem), in_(inputs.tensors), rounding_(rounding) {}

    [[nodiscard]] Matrix forward() const {
        const Matrix tokens = x_rows();
        if (p_.scope == Scope::attention) return attention(p_, in_, 0, tokens, rounding_);
        if (p_.scope == Scope::block) return block(tokens, 0);
        return pooled(ended(block_inputs().back()));
    }

    [[nodiscard]] Bundle<double> backward(const std::vector<double>& dout) const {
        Bundle<double> g = zeros(p_);
        const Eigen::Map<const Matrix> dy(dout.data(), p_.batch * p_.out_rows(), p_.hidden);
        if (p_.scope == Scope::attention) {
            put_x(g, attention_backward(p_, in_, 0, x_rows(), dy, g, rounding_));
        } else if (p_.scope == Scope::block) {
            put_x(g, block_backward(x_rows(), dy, 0, g));
        } else {
            put_x(g, model_backward(dy, g));
        }
        return g;
    }

private:
    [[nodiscard]] Eigen::Map<const Matrix> of(TensorId id, std::int64_t layer = 0) const {
        return parameter(p_, in_, id, layer);
    }
    [[nodiscard]] Eigen::Map<const Matrix> x_rows() const { return {in_[x].data(), p_.batch * p_.seq_len, p_.embed}; }
    static void put_x(Bundle<double>& g, const Matrix& dx) { g[x].assign(dx.data(), dx.data() + dx.size()); }

    /// S.9.
    [[nodiscard]] Matrix with_attention(const ConstMatrixRef& rows, std::int64_t layer) const {
        const Matrix normal = layer_norm(rows, of(attn_norm_scale, layer), of(attn_norm_shift, layer), rounding_);
        return plus(rows, attention(p_, in_, layer, normal, rounding_), rounding_);
    }
    [[nodiscard]] Matrix block(const ConstMatrixRef& rows, std::int64_t layer) const {
        const Matrix between = with_attention(rows, layer);
        const Matrix normal = layer_norm(between, of(ffn_norm_scale, layer), of(ffn_norm_shift, layer), rounding_);
        const Matrix up = dense(normal, of(w_up, layer), of(b_up, layer), rounding_);
        return plus(between, dense(gelu(up, rounding_), of(w_down, layer), of(b_down, layer), rounding_), rounding_);
    }

    [[nodiscard]] Matrix block_backward(const ConstMatrixRef& rows, const ConstMatrixRef& dy, std::int64_t layer,
                                        Bundle<double>& g) const {
        const auto put = [&](TensorId id, const Matrix& values) { set_parameter(p_, g, id, layer, values); };
        const Matrix between = with_attention(rows, layer);
        const Matrix ffn_normal = layer_norm(between, of(ffn_norm_scale, layer), of(ffn_norm_shift, layer), rounding_);
        const Matrix up = dense(ffn_normal, of(w_up, layer), of(b_up, layer), rounding_);
        const DenseGradients down = dense_backward(gelu(up, rounding_), of(w_down, layer), dy, rounding_);
        put(w_down, down.dw);
        put(b_down, down.db);
        const Matrix dup = gelu_backward(up, down.dx, rounding_);
        const DenseGradients widening = dense_backward(ffn_normal, of(w_up, layer), dup, rounding_);
        put(w_up, widening.dw);
        put(b_up, widening.db);
        const NormGradients second = layer_norm_backward(between, of(ffn_norm_scale, layer), widening.dx, rounding_);
        put(ffn_norm_scale, second.dscale);
        put(ffn_norm_shift, second.dshift);
        const Matrix dbetween = plus(dy, second.dx, rounding_);

        const Matrix normal = layer_norm(rows, of(attn_norm_scale, layer), of(attn_norm_shift, layer), rounding_);
        const Matrix dnormal = attention_backward(p_, in_, layer, normal, dbetween, g, rounding_);
        const NormGradients first = layer_norm_backward(rows, of(attn_norm_scale, layer), dnormal, rounding_);
        put(attn_norm_scale, first.dscale);
        put(attn_norm_shift, first.dshift);
        return plus(dbetween, first.dx, rounding_);
    }

    /// What goes into each block, and at the end what comes out of the last.
    [[nodiscard]] std::vector<Matrix> block_inputs() const {
        std::vector<Matrix> rows;
        rows.push_back(has(p_, w_embed) ? dense(x_rows(), of(w_embed), of(b_embed), rounding_) : Matrix(x_rows()));
        for (std::int64_t layer = 0; layer < p_.layers; ++layer) rows.push_back(block(rows.back(), layer));
        return rows;
    }

    [[nodiscard]] Matrix ended(const Matrix& rows) const {
        return layer_norm(rows, of(final_norm_scale), of(final_norm_shift), rounding_);
    }

    /// S.10: the rows of each sequence that are returned.
    [[nodiscard]] Matrix pooled(const Matrix& rows) const {
        if (p_.pooling == Pooling::all) return rows;
        Matrix out(p_.batch, p_.hidden);
        for (std::int64_t b = 0; b < p_.batch; ++b) {
            const auto sequence = rows.middleRows(b * p_.seq_len, p_.seq_len);
            out.row(b) = p_.pooling == Pooling::mean_pool
                             ? Matrix(sum_of_rows(sequence, rounding_) / static_cast<double>(p_.seq_len))
                             : Matrix(sequence.bottomRows(1));
        }
        if (p_.pooling == Pooling::mean_pool) rounding_.store(out);
        return out;
    }

    [[nodiscard]] Matrix spread(const ConstMatrixRef& dy) const {
        if (p_.pooling == Pooling::all) return dy;
        Matrix drows = Matrix::Zero(p_.batch * p_.seq_len, p_.hidden);
        for (std::int64_t b = 0; b < p_.batch; ++b) {
            auto sequence = drows.middleRows(b * p_.seq_len, p_.seq_len);
            if (p_.pooling == Pooling::mean_pool) {
                sequence.rowwise() += dy.row(b) / static_cast<double>(p_.seq_len);
            } else {
                sequence.row(p_.seq_len - 1) = dy.row(b);
            }
        }
        rounding_.store(drows);
        return drows;
    }

    [[nodiscard]] Matrix model_backward(const ConstMatrixRef& dy, Bundle<double>& g) const {
        const std::vector<Matrix> rows = block_inputs();
        NormGradients last = layer_norm_backward(rows.back(), of(final_norm_scale), spread(dy), rounding_);
        set_parameter(p_, g, final_norm_scale, 0, last.dscale);
        set_parameter(p_, g, final_norm_shift, 0, last.dshift);
        Matrix drows = std::move(last.dx);
        for (std::int64_t layer = p_.layers - 1; layer >= 0; --layer) {
            drows = block_backward(rows[static_cast<std::size_t>(layer)], drows, layer, g);
        }
        if (!has(p_, w_embed)) return drows;
        DenseGradients beginning = dense_backward(x_rows(), of(w_embed), drows, rounding_);
        set_parameter(p_, g, w_embed, 0, beginning.dw);
        set_parameter(p_, g, b_embed, 0, beginning.db);
        return std::move(beginning.dx);
    }

    const Problem& p_;
    const Bundle<double>& in_;
    Rounding& rounding_;
};

}  // namespace

std::vector<double> forward(const Problem& problem, const Inputs& inputs, Rounding& rounding) {
    const Matrix out = Network(problem, inputs, rounding).forward();
    return {out.data(), out.data() + out.size()};
}

Bundle<double> backward(const Problem& problem, const Inputs& inputs, Rounding& rounding) {
    return Network(problem, inputs, rounding).backward(inputs.dout);
}

std::vector<double> forward(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    Rounding exact;
    return forward(problem, inputs, exact);
}

Bundle<double> backward(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    expects(!inputs.dout.empty(), "backward: dout is needed");
    Rounding exact;
    return backward(problem, inputs, exact);
}

}  // namespace dca::chunk_summary
