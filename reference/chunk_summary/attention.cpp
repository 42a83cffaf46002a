#include "reference/chunk_summary/attention.hpp"

#include <cmath>

#include "reference/chunk_summary/attend.hpp"
#include "reference/chunk_summary/layers.hpp"
#include "reference/math/parallel.hpp"

namespace dca::chunk_summary {
namespace {

/// q, k and v of one head of one sequence, and their means over the chunks.
struct Head {
    Matrix q, k, v, q_mean, k_mean, v_mean;
};

Matrix chunk_means(const Matrix& rows, Eigen::Index chunk, Rounding& rounding) {
    Matrix means(rows.rows() / chunk, rows.cols());
    for (Eigen::Index b = 0; b < means.rows(); ++b) {
        means.row(b) = sum_of_rows(rows.middleRows(b * chunk, chunk), rounding) / static_cast<double>(chunk);
    }
    rounding.store(means);
    return means;
}

/// The layer for one problem: which elements belong to which head, and the work on one head.
class Heads {
public:
    Heads(const Problem& problem, const ConstMatrixRef& gamma, Rounding& rounding)
        : p_(problem),
          n_(problem.seq_len),
          dim_(problem.head_dim()),
          gate_(gamma.unaryExpr([](double g) { return 1 / (1 + std::exp(-g)); })),
          rounding_(rounding) {
        rounding_.store(gate_, 3);
        rest_ = 1 - gate_.array();
        rounding_.store(rest_);
    }

    /// Calls work(sequence, head) for all of them; each writes only its own results.
    template <class Work>
    void for_each(const Work& work) const {
        const std::int64_t count = p_.batch * p_.heads;
        const double chunk = static_cast<double>(p_.chunk_size), chunks = static_cast<double>(p_.chunks());
        const double pairs = static_cast<double>(n_) * chunk + chunks * chunks;
        const auto item = [&](std::int64_t i) { work(i / p_.heads, i % p_.heads); };
        if (rounding_.exact()) {
            reference::parallel_for(count, pairs * static_cast<double>(2 * dim_ * count), item);
        } else {
            for (std::int64_t i = 0; i < count; ++i) item(i);
        }
    }

    [[nodiscard]] Head head(const Matrix& qkv, std::int64_t sequence, std::int64_t h) const {
        Head out{part(qkv, sequence, h, 0), part(qkv, sequence, h, 1), part(qkv, sequence, h, 2), {}, {}, {}};
        out.q_mean = chunk_means(out.q, p_.chunk_size, rounding_);
        out.k_mean = chunk_means(out.k, p_.chunk_size, rounding_);
        out.v_mean = chunk_means(out.v, p_.chunk_size, rounding_);
        return out;
    }

    [[nodiscard]] Matrix intra(const Head& in) const {
        Matrix out(n_, dim_);
        for (Eigen::Index first = 0; first < n_; first += p_.chunk_size) {
            out.middleRows(first, p_.chunk_size) =
                attend(chunk(in.q, first), chunk(in.k, first), chunk(in.v, first), rounding_);
        }
        return out;
    }

    [[nodiscard]] Matrix inter(const Head& in) const { return attend(in.q_mean, in.k_mean, in.v_mean, rounding_); }

    /// S.5: the gate chooses channel by channel.
    [[nodiscard]] Matrix blended(const Matrix& intra_rows, const Matrix& inter_rows, std::int64_t h) const {
        Matrix out = intra_rows.array().rowwise() * rest_.row(h).array();
        rounding_.store(out);
        Matrix global = inter_rows.array().rowwise() * gate_.row(h).array();
        rounding_.store(global);
        for (Eigen::Index row = 0; row < n_; ++row) out.row(row) += global.row(row / p_.chunk_size);
        rounding_.store(out);
        return out;
    }

    /// What goes into the output projection: all heads side by side.
    [[nodiscard]] Matrix mixed(const Matrix& qkv) const {
        Matrix out(qkv.rows(), p_.hidden);
        for_each([&](std::int64_t sequence, std::int64_t h) {
            const Head in = head(qkv, sequence, h);
            out.block(sequence * n_, column(h, 0), n_, dim_) = blended(intra(in), inter(in), h);
        });
        return out;
    }

    /// Writes the gradients of q, k and v of one head into dqkv; returns that of gamma.
    [[nodiscard]] Matrix backward(const Head& in, const Matrix& dout, std::int64_t sequence, std::int64_t h,
                                  Matrix& dqkv) const {
        const Matrix intra_rows = intra(in), inter_rows = inter(in);
        Matrix difference(n_, dim_);
        for (Eigen::Index row = 0; row < n_; ++row) {
            difference.row(row) = inter_rows.row(row / p_.chunk_size) - intra_rows.row(row);
        }
        rounding_.store(difference);
        difference = difference.cwiseProduct(dout).eval();
        rounding_.store(difference);
        Matrix dgamma = sum_of_rows(difference, rounding_);
        rounding_.store(dgamma);
        dgamma.array() *= gate_.row(h).array() * rest_.row(h).array();
        rounding_.store(dgamma, 2);

        Matrix dintra = dout.array().rowwise() * rest_.row(h).array();
        rounding_.store(dintra);
        Matrix dglobal = dout.array().rowwise() * gate_.row(h).array();
        rounding_.store(dglobal);
        const auto size = static_cast<double>(p_.chunk_size);
        const Matrix dinter = chunk_means(dglobal, p_.chunk_size, rounding_) * size;
        AttendGradients global = attend_backward(in.q_mean, in.k_mean, in.v_mean, dinter, rounding_);
        for (Matrix* summary : {&global.dq, &global.dk, &global.dv}) {
            *summary /= size;
            rounding_.store(*summary);
        }
        for (Eigen::Index b = 0; b < p_.chunks(); ++b) {
            const Eigen::Index first = b * p_.chunk_size;
            AttendGradients local = attend_backward(chunk(in.q, first), chunk(in.k, first), chunk(in.v, first),
                                                    chunk(dintra, first), rounding_);
            put(local.dq, global.dq.row(b), sequence, h, 0, first, dqkv);
            put(local.dk, global.dk.row(b), sequence, h, 1, first, dqkv);
            put(local.dv, global.dv.row(b), sequence, h, 2, first, dqkv);
        }
        return dgamma;
    }

    /// Where channel 0 of head h lies in a row of `part` third of the projection (S.2).
    [[nodiscard]] Eigen::Index column(std::int64_t h, int third) const { return third * p_.hidden + h * dim_; }
    [[nodiscard]] Matrix part(const ConstMatrixRef& rows, std::int64_t sequence, std::int64_t h, int third) const {
        return rows.block(sequence * n_, column(h, third), n_, dim_);
    }

private:
    [[nodiscard]] Eigen::Block<const Matrix> chunk(const Matrix& rows, Eigen::Index first) const {
        return rows.block(first, 0, p_.chunk_size, dim_);
    }

    void put(Matrix& local, const Eigen::Ref<const Matrix>& summary, std::int64_t sequence, std::int64_t h, int third,
             Eigen::Index first, Matrix& dqkv) const {
        local.rowwise() += summary.row(0);
        rounding_.store(local);
        dqkv.block(sequence * n_ + first, column(h, third), p_.chunk_size, dim_) = local;
    }

    const Problem& p_;
    Eigen::Index n_, dim_;
    Matrix gate_, rest_;
    Rounding& rounding_;
};

}  // namespace

Matrix attention(const Problem& problem, const Bundle<double>& parameters, std::int64_t layer, const ConstMatrixRef& x,
                 Rounding& rounding) {
    const auto of = [&](TensorId id) { return parameter(problem, parameters, id, layer); };
    const Matrix qkv = dense(x, of(TensorId::w_qkv), of(TensorId::b_qkv), rounding);
    const Heads heads(problem, of(TensorId::gamma), rounding);
    const Matrix mixed = heads.mixed(qkv);
    return dense(mixed, of(TensorId::w_out), of(TensorId::b_out), rounding);
}

Matrix attention_backward(const Problem& problem, const Bundle<double>& parameters, std::int64_t layer,
                          const ConstMatrixRef& x, const ConstMatrixRef& dy, Bundle<double>& gradients,
                          Rounding& rounding) {
    const auto of = [&](TensorId id) { return parameter(problem, parameters, id, layer); };
    const auto put = [&](TensorId id, const Matrix& values) { set_parameter(problem, gradients, id, layer, values); };
    const Matrix qkv = dense(x, of(TensorId::w_qkv), of(TensorId::b_qkv), rounding);
    const Heads heads(problem, of(TensorId::gamma), rounding);
    const Matrix mixed = heads.mixed(qkv);
    const DenseGradients ending = dense_backward(mixed, of(TensorId::w_out), dy, rounding);
    put(TensorId::w_out, ending.dw);
    put(TensorId::b_out, ending.db);

    Matrix dqkv(x.rows(), 3 * problem.hidden), dgammas(problem.batch * problem.heads, problem.head_dim());
    heads.for_each([&](std::int64_t sequence, std::int64_t h) {
        dgammas.row(sequence * problem.heads + h) =
            heads.backward(heads.head(qkv, sequence, h), heads.part(ending.dx, sequence, h, 0), sequence, h, dqkv);
    });
    Matrix dgamma = Matrix::Zero(problem.heads, problem.head_dim());
    for (std::int64_t sequence = 0; sequence < problem.batch; ++sequence) {
        dgamma += dgammas.middleRows(sequence * problem.heads, problem.heads);
    }
    rounding.store(dgamma);
    put(TensorId::gamma, dgamma);

    const DenseGradients beginning = dense_backward(x, of(TensorId::w_qkv), dqkv, rounding);
    put(TensorId::w_qkv, beginning.dw);
    put(TensorId::b_qkv, beginning.db);
    return beginning.dx;
}

}  // namespace dca::chunk_summary
