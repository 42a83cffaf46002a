#include "reference/noise/row_margin.hpp"

#include <algorithm>

namespace dca::reference::noise {
namespace {

/// Standard deviations of the leading error a row is allowed to be away from its expected norm.
constexpr double row_deviations = 4;

}  // namespace

void widen(std::span<double> variance, double leading, double line) {
    double total = 0;
    for (double value : variance) total += value;
    if (!(total > 0)) return;
    // The smallest factor 1 + a x, x = leading / total, with line sqrt(1 + a x) >= 1 + t sqrt(x) for all x in [0, 1].
    const double a = row_deviations * row_deviations / (line * line - 1);
    const double factor = 1 + a * std::min(leading / total, 1.0);
    for (double& value : variance) value *= factor;
}

double leading_of_channels(std::span<const double> variance, double channel_concentration) {
    double total = 0, largest = 0;
    for (double value : variance) {
        total += value;
        largest = std::max(largest, value);
    }
    return std::max(largest, total * channel_concentration);
}

double Shares::concentration(double lost) const {
    if (!(sum_of_squares > 0)) return 1;
    return 1 / std::max(1.0, sum / sum_of_squares * sum - lost);
}

void add_gram(const Rows& rows, Products& products, Matrix& gram) {
    constexpr int step = 512;
    for (int first = 0; first < rows.rows; first += step) {
        const Rows part = rows.slice(first, std::min(step, rows.rows - first));
        products.tn(part, part, gram, true);
    }
}

double concentration_of_gram(const Matrix& gram) {
    double trace = 0, squares = 0;
    for (int c = 0; c < gram.columns(); ++c) trace += gram.row(c)[c];
    if (!(trace > 0)) return 1;
    for (int a = 0; a < gram.columns(); ++a) {
        for (int b = 0; b < gram.columns(); ++b) squares += (gram.row(a)[b] / trace) * (gram.row(a)[b] / trace);
    }
    return std::min(squares, 1.0);
}

double channel_concentration(const Rows& rows, Products& products) {
    Matrix gram(rows.columns, rows.columns);
    add_gram(rows, products, gram);
    return concentration_of_gram(gram);
}

}  // namespace dca::reference::noise
