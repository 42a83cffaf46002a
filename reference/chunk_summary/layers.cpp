#include "reference/chunk_summary/layers.hpp"

#include <cmath>
#include <numbers>

namespace dca::chunk_summary {
namespace {

constexpr double norm_epsilon = 1e-5;

/// What both passes of a normalisation need: the rows centred, and one over their deviation.
struct Normal {
    Matrix centred, inverse_deviation, unit;
};

Matrix mean_of_columns(const ConstMatrixRef& a, Rounding& rounding) {
    Matrix mean = sum_of_columns(a, rounding) / static_cast<double>(a.cols());
    rounding.store(mean);
    return mean;
}

Normal normal_of(const ConstMatrixRef& x, Rounding& rounding) {
    Normal n;
    n.centred = x.colwise() - mean_of_columns(x, rounding).col(0);
    rounding.store(n.centred);
    Matrix squares = n.centred.cwiseAbs2();
    rounding.store(squares);
    n.inverse_deviation = mean_of_columns(squares, rounding).array() + norm_epsilon;
    rounding.store(n.inverse_deviation);
    n.inverse_deviation = n.inverse_deviation.array().sqrt().inverse().matrix().eval();
    rounding.store(n.inverse_deviation, 2);
    n.unit = n.centred.array().colwise() * n.inverse_deviation.col(0).array();
    rounding.store(n.unit);
    return n;
}

/// x Phi(x) and Phi(x) of S.8, with Phi the normal distribution.
Matrix normal_distribution(const ConstMatrixRef& x, Rounding& rounding) {
    Matrix phi = x * std::numbers::sqrt2 / 2;
    rounding.store(phi);
    phi = phi.unaryExpr([](double value) { return std::erf(value); }).eval();
    rounding.store(phi, 2);
    phi.array() += 1;
    rounding.store(phi);
    return phi / 2;
}

}  // namespace

Matrix dense(const ConstMatrixRef& x, const ConstMatrixRef& w, const ConstMatrixRef& b, Rounding& rounding) {
    Matrix y = product(x, w, rounding);
    rounding.store(y);
    y.rowwise() += b.row(0);
    rounding.store(y);
    return y;
}

DenseGradients dense_backward(const ConstMatrixRef& x, const ConstMatrixRef& w, const ConstMatrixRef& dy,
                              Rounding& rounding) {
    const Matrix w_turned = w.transpose(), x_turned = x.transpose();
    DenseGradients g{product(dy, w_turned, rounding), product(x_turned, dy, rounding), sum_of_rows(dy, rounding)};
    rounding.store(g.dx);
    rounding.store(g.dw);
    rounding.store(g.db);
    return g;
}

Matrix layer_norm(const ConstMatrixRef& x, const ConstMatrixRef& scale, const ConstMatrixRef& shift,
                  Rounding& rounding) {
    Matrix y = normal_of(x, rounding).unit;
    y.array().rowwise() *= scale.row(0).array();
    rounding.store(y);
    y.rowwise() += shift.row(0);
    rounding.store(y);
    return y;
}

NormGradients layer_norm_backward(const ConstMatrixRef& x, const ConstMatrixRef& scale, const ConstMatrixRef& dy,
                                  Rounding& rounding) {
    const Normal n = normal_of(x, rounding);
    NormGradients g;
    Matrix weighted = dy.cwiseProduct(n.unit);
    rounding.store(weighted);
    g.dscale = sum_of_rows(weighted, rounding);
    g.dshift = sum_of_rows(dy, rounding);
    rounding.store(g.dscale);
    rounding.store(g.dshift);

    Matrix dunit = dy.array().rowwise() * scale.row(0).array();
    rounding.store(dunit);
    Matrix moment = dunit.cwiseProduct(n.unit);
    rounding.store(moment);
    const Matrix mean = mean_of_columns(dunit, rounding), slope = mean_of_columns(moment, rounding);
    Matrix along = n.unit.array().colwise() * slope.col(0).array();
    rounding.store(along);
    g.dx = dunit.colwise() - mean.col(0);
    rounding.store(g.dx);
    g.dx -= along;
    rounding.store(g.dx);
    g.dx.array().colwise() *= n.inverse_deviation.col(0).array();
    rounding.store(g.dx);
    return g;
}

Matrix gelu(const ConstMatrixRef& x, Rounding& rounding) {
    Matrix y = normal_distribution(x, rounding).cwiseProduct(x);
    rounding.store(y);
    return y;
}

Matrix gelu_backward(const ConstMatrixRef& x, const ConstMatrixRef& dy, Rounding& rounding) {
    constexpr double inverse_root_of_two_pi = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    Matrix density = -x.cwiseAbs2() / 2;
    rounding.store(density, 2);
    density = density.unaryExpr([](double power) { return inverse_root_of_two_pi * std::exp(power); }).eval();
    rounding.store(density, 3);
    density = density.cwiseProduct(x).eval();
    rounding.store(density);
    Matrix slope = normal_distribution(x, rounding) + density;
    rounding.store(slope);
    slope = slope.cwiseProduct(dy).eval();
    rounding.store(slope);
    return slope;
}

Matrix plus(const ConstMatrixRef& a, const ConstMatrixRef& b, Rounding& rounding) {
    Matrix sum = a + b;
    rounding.store(sum);
    return sum;
}

}  // namespace dca::chunk_summary
