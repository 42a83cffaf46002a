// A sum of given columns with coefficients that are not negative, fitted to positive values whose errors are in
// proportion to them.
#pragma once

#include <vector>

namespace dca::measure {

using Column = std::vector<double>;

struct Combination {
    std::vector<double> coefficients;    ///< one per column, >= 0
    Column values;                       ///< of the sum at every point
    double deviance = 0;                 ///< 2 sum((y - f) / f - ln(y / f)), about the sum of squared relative errors
    [[nodiscard]] int positive() const;  ///< number of coefficients above 0
};

/// The maximum-likelihood fit of a gamma law with constant relative spread and identity link, found by reweighted
/// non-negative least squares over all subsets of the columns (at most 6 columns). y > 0; columns >= 0, each with a
/// positive entry wherever y is measured in at least one column.
[[nodiscard]] Combination combine(const std::vector<Column>& columns, const Column& y);

/// Bayesian information criterion m ln(D / m) + k ln m of a fit to m points by k parameters; the smaller the better.
/// Relative errors below 10^-6 are counted as that, so that exact data prefer the fewer parameters.
[[nodiscard]] double information_score(double deviance, std::size_t points, int parameters);

}  // namespace dca::measure
