#include "reference/chunk_summary/rounding.hpp"

#include <algorithm>
#include <cmath>

#include "reference/math/parallel.hpp"

namespace dca::chunk_summary {
namespace {

constexpr Eigen::Index tile_rows = 64;

/// Stateless mixing of a counter (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/// Sums of the squared terms of a product. A scale needs few digits, and single precision is twice as fast; squares are
/// taken of values scaled to 1, which neither overflow nor vanish.
Matrix energy_of(const ConstMatrixRef& a, const ConstMatrixRef& b) {
    using Single = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto size_of = [](const ConstMatrixRef& m) {
        const double size = m.cwiseAbs().maxCoeff();
        return size > 0 ? size : 1;
    };
    const double a_size = size_of(a), b_size = size_of(b);
    const Single a_squares = (a / a_size).cwiseAbs2().cast<float>(), b_squares = (b / b_size).cwiseAbs2().cast<float>();
    const Single energy = a_squares * b_squares;
    return energy.cast<double>() * (a_size * a_size * b_size * b_size);
}

}  // namespace

double Rounding::next() {
    state_ += 0x9E3779B97F4A7C15u;
    return static_cast<double>(static_cast<std::int64_t>(mixed(state_))) * 0x1p-63;
}

void Rounding::store(MatrixRef values, double times) {
    if (exact_) return;
    const double factor = std::sqrt(times);
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
        for (double& value : values.row(i)) {
            if (value == 0) continue;
            value += factor * std::max(units_.storage * std::abs(value), units_.floor) * next();
        }
    }
}

/// A chain of n sums rounds every partial sum. Terms of changing sign make partial sums that grow like sqrt(k), terms
/// of one sign like k: together the squares of the partial sums are about n/2 energy + n/3 sum^2. Each term is itself a
/// rounded product: energy once more.
void Rounding::accumulate(MatrixRef values, const ConstMatrixRef& energy, Eigen::Index terms) {
    if (exact_) return;
    const auto n = static_cast<double>(terms);
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
        for (Eigen::Index j = 0; j < values.cols(); ++j) {
            double& value = values(i, j);
            value += units_.accumulator * std::sqrt((n / 2 + 1) * energy(i, j) + n / 3 * value * value) * next();
        }
    }
}

Matrix product(const ConstMatrixRef& a, const ConstMatrixRef& b, Rounding& rounding) {
    Matrix result(a.rows(), b.cols());
    const Eigen::Index tiles = (a.rows() + tile_rows - 1) / tile_rows;
    const auto tile = [&](std::int64_t item) {
        const Eigen::Index first = item * tile_rows, rows = std::min(tile_rows, a.rows() - first);
        result.middleRows(first, rows).noalias() = a.middleRows(first, rows) * b;
    };
    if (!rounding.exact()) {
        for (Eigen::Index item = 0; item < tiles; ++item) tile(item);
        rounding.accumulate(result, energy_of(a, b), a.cols());
        return result;
    }
    const double work = static_cast<double>(a.rows()) * static_cast<double>(a.cols()) * static_cast<double>(b.cols());
    reference::parallel_for(tiles, work, tile);
    return result;
}

Matrix sum_of_rows(const ConstMatrixRef& a, Rounding& rounding) {
    Matrix sum = a.colwise().sum();
    if (!rounding.exact()) rounding.accumulate(sum, a.cwiseAbs2().colwise().sum(), a.rows());
    return sum;
}

Matrix sum_of_columns(const ConstMatrixRef& a, Rounding& rounding) {
    Matrix sum = a.rowwise().sum();
    if (!rounding.exact()) rounding.accumulate(sum, a.cwiseAbs2().rowwise().sum(), a.cols());
    return sum;
}

}  // namespace dca::chunk_summary
