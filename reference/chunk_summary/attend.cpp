#include "reference/chunk_summary/attend.hpp"

#include <algorithm>
#include <cmath>

namespace dca::chunk_summary {
namespace {

constexpr double masked_score = -1e9;
constexpr double denominator_epsilon = 1e-8;
constexpr Eigen::Index tile_rows = 64;

double scale_of(const ConstMatrixRef& q) {
    return 1 / std::sqrt(static_cast<double>(q.cols()));
}

/// Some rows of the softmax, all keys.
struct Tile {
    Matrix weights;
    Matrix is_top;       ///< 1 where the score is the maximum of its row, else 0
    Matrix denominator;  ///< rows x 1, the 1e-8 included
};

Tile softmax_tile(const ConstMatrixRef& q, const ConstMatrixRef& k, Eigen::Index first, Eigen::Index rows,
                  Rounding& rounding) {
    const Matrix turned = k.transpose();
    Matrix scores = product(q.middleRows(first, rows), turned, rounding);
    rounding.store(scores);
    scores *= scale_of(q);
    rounding.store(scores, 2);
    for (Eigen::Index row = 0; row < rows; ++row) scores.row(row).tail(k.rows() - 1 - (first + row)).fill(masked_score);
    scores.colwise() -= scores.rowwise().maxCoeff().eval();
    Tile tile;
    tile.is_top = (scores.array() == 0).cast<double>();
    rounding.store(scores);
    tile.weights = scores.unaryExpr([](double score) { return std::exp(score); });
    rounding.store(tile.weights, 2);
    tile.denominator = sum_of_columns(tile.weights, rounding);
    rounding.store(tile.denominator);
    tile.denominator.array() += denominator_epsilon;
    rounding.store(tile.denominator);
    tile.weights.array().colwise() /= tile.denominator.col(0).array();
    rounding.store(tile.weights);
    return tile;
}

/// From the gradient of the weights to that of the scores before the scale. With W = E / (Z + eps), E = exp(s - m) and
/// r = sum W dW: d(s - m) = W (dW - r), and dm = -sum d(s - m) = -r eps / (Z + eps), which goes to the maximum.
Matrix score_gradient(const Tile& tile, const Matrix& dweights, Eigen::Index first, double scale, Rounding& rounding) {
    Matrix weighted = tile.weights.cwiseProduct(dweights);
    rounding.store(weighted);
    Matrix mean = sum_of_columns(weighted, rounding);
    rounding.store(mean);
    Matrix ds = dweights.colwise() - mean.col(0);
    rounding.store(ds);
    ds = ds.cwiseProduct(tile.weights).eval();
    rounding.store(ds);
    Matrix dtop = rounding.differentiates_maximum()
                      ? sum_of_columns(ds, rounding)
                      : Matrix(mean.cwiseQuotient(tile.denominator) * denominator_epsilon);
    rounding.store(dtop);
    dtop.array() /= tile.is_top.rowwise().sum().array();
    ds.array() -= tile.is_top.array().colwise() * dtop.col(0).array();
    rounding.store(ds);
    for (Eigen::Index row = 0; row < ds.rows(); ++row) ds.row(row).tail(ds.cols() - 1 - (first + row)).setZero();
    ds *= scale;
    rounding.store(ds, 2);
    return ds;
}

}  // namespace

Matrix attend(const ConstMatrixRef& q, const ConstMatrixRef& k, const ConstMatrixRef& v, Rounding& rounding) {
    Matrix out(q.rows(), v.cols());
    for (Eigen::Index first = 0; first < q.rows(); first += tile_rows) {
        const Eigen::Index rows = std::min(tile_rows, q.rows() - first);
        out.middleRows(first, rows) = product(softmax_tile(q, k, first, rows, rounding).weights, v, rounding);
    }
    rounding.store(out);
    return out;
}

AttendGradients attend_backward(const ConstMatrixRef& q, const ConstMatrixRef& k, const ConstMatrixRef& v,
                                const ConstMatrixRef& dout, Rounding& rounding) {
    AttendGradients g{Matrix(q.rows(), q.cols()), Matrix::Zero(k.rows(), k.cols()), Matrix::Zero(v.rows(), v.cols())};
    const Matrix v_turned = v.transpose();
    for (Eigen::Index first = 0; first < q.rows(); first += tile_rows) {
        const Eigen::Index rows = std::min(tile_rows, q.rows() - first);
        const Tile tile = softmax_tile(q, k, first, rows, rounding);
        Matrix dweights = product(dout.middleRows(first, rows), v_turned, rounding);
        rounding.store(dweights);
        const Matrix ds = score_gradient(tile, dweights, first, scale_of(q), rounding);
        const Matrix weights_turned = tile.weights.transpose(), ds_turned = ds.transpose();
        g.dq.middleRows(first, rows) = product(ds, k, rounding);
        g.dk += product(ds_turned, q.middleRows(first, rows), rounding);
        g.dv += product(weights_turned, dout.middleRows(first, rows), rounding);
    }
    rounding.store(g.dq);
    rounding.store(g.dk);
    rounding.store(g.dv);
    return g;
}

}  // namespace dca::chunk_summary
