#include "verify/measure/combination.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "reference/spec/error.hpp"
#include "verify/measure/elementary.hpp"

namespace dca::measure {

namespace {

constexpr std::size_t most = 6;
using Row = std::array<double, most + 1>;

/// Normal equations of weighted least squares: matrix in the first columns, right-hand side in the last.
using Equations = std::array<Row, most>;

Equations equations(const std::vector<Column>& columns, const Column& y, const Column& fitted) {
    Equations made{};
    for (std::size_t a = 0; a < columns.size(); ++a) {
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double weight = 1 / (fitted[i] * fitted[i]);
            for (std::size_t b = 0; b < columns.size(); ++b) made[a][b] += weight * columns[a][i] * columns[b][i];
            made[a][most] += weight * columns[a][i] * y[i];
        }
    }
    return made;
}

/// Solves for the columns of `subset` (bits). False where they are dependent or a coefficient is negative.
bool solve(const Equations& all, std::size_t count, unsigned subset, std::array<double, most>& result) {
    std::array<std::size_t, most> chosen{};
    std::size_t size = 0;
    for (std::size_t a = 0; a < count; ++a) {
        if ((subset >> a & 1U) != 0) chosen[size++] = a;
    }
    Equations work{};
    for (std::size_t r = 0; r < size; ++r) {
        for (std::size_t c = 0; c < size; ++c) work[r][c] = all[chosen[r]][chosen[c]];
        work[r][most] = all[chosen[r]][most];
    }
    // The matrix is positive definite: elimination without exchange. A pivot that lost 12 digits is none.
    for (std::size_t p = 0; p < size; ++p) {
        if (!(work[p][p] > 1e-12 * all[chosen[p]][chosen[p]])) return false;
        for (std::size_t r = p + 1; r < size; ++r) {
            const double factor = work[r][p] / work[p][p];
            for (std::size_t c = p; c < size; ++c) work[r][c] -= factor * work[p][c];
            work[r][most] -= factor * work[p][most];
        }
    }
    result.fill(0);
    for (std::size_t p = size; p-- > 0;) {
        double value = work[p][most];
        for (std::size_t c = p + 1; c < size; ++c) value -= work[p][c] * result[chosen[c]];
        value /= work[p][p];
        if (!(value >= 0)) return false;
        result[chosen[p]] = value;
    }
    return true;
}

/// The quadratic objective up to a constant.
double objective(const Equations& all, std::size_t count, const std::array<double, most>& x) {
    double sum = 0;
    for (std::size_t a = 0; a < count; ++a) {
        double row = -2 * all[a][most];
        for (std::size_t b = 0; b < count; ++b) row += all[a][b] * x[b];
        sum += x[a] * row;
    }
    return sum;
}

std::array<double, most> non_negative(const Equations& all, std::size_t count) {
    std::array<double, most> best{}, trial{};
    double least = 0;
    for (unsigned subset = 1; subset < 1U << count; ++subset) {
        if (!solve(all, count, subset, trial)) continue;
        const double value = objective(all, count, trial);
        if (value < least) {
            least = value;
            best = trial;
        }
    }
    return best;
}

}  // namespace

int Combination::positive() const {
    return static_cast<int>(std::count_if(coefficients.begin(), coefficients.end(), [](double c) { return c > 0; }));
}

Combination combine(const std::vector<Column>& columns, const Column& y) {
    expects(!columns.empty() && columns.size() <= most, "one to six columns");
    Combination fit;
    fit.values = y;
    std::array<double, most> found{};
    for (int round = 0; round < 4; ++round) {  // each round errs by about the square of the relative noise of the last
        found = non_negative(equations(columns, y, fit.values), columns.size());
        for (std::size_t i = 0; i < y.size(); ++i) {
            double value = 0;
            for (std::size_t a = 0; a < columns.size(); ++a) value += found[a] * columns[a][i];
            // A column may be 0 at some points; a law that is 0 there fits nothing.
            fit.values[i] = std::max(value, 1e-9 * y[i]);
        }
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double ratio = y[i] / fit.values[i];
        fit.deviance += 2 * (ratio - 1 - log_of(ratio));
    }
    fit.deviance = std::max(0.0, fit.deviance);
    fit.coefficients.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(columns.size()));
    return fit;
}

double information_score(double deviance, std::size_t points, int parameters) {
    const double m = static_cast<double>(points);
    return m * log_of(std::max(deviance / m, 1e-12)) + parameters * log_of(m);
}

}  // namespace dca::measure
