#include "verify/diagnose/mass_shift.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "reference/math/rotations.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/key_masses.hpp"

namespace dca::verify {
namespace {

constexpr std::int64_t most_rows = 64, grid_rows = 128;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Row {
    std::int64_t batch, row, head;
};

bool fails(const golden::CaseData& golden, const Tensor4& got, const Row& at) {
    const Tensor4& expected = *golden.results.out;
    const std::int64_t channels = got.extent(3);
    long double errors = 0, scales = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
        const double e = got(at.batch, at.row, at.head, c) - expected(at.batch, at.row, at.head, c);
        const double s = double{golden.judge->scales.out(at.batch, at.row, at.head, c)};
        if (!std::isfinite(e)) return false;  // no sum of masses makes a NaN
        errors += static_cast<long double>(e) * e;
        scales += static_cast<long double>(s) * s;
    }
    return std::sqrt(errors) > lines_for("out").row * std::sqrt(scales);
}

/// Failing rows of the head and batch entry with most of them, evenly chosen.
std::vector<Row> chosen_rows(const golden::CaseData& golden, const Tensor4& got, std::size_t most) {
    std::vector<Row> best;
    for (std::int64_t b = 0; b < got.extent(0); ++b) {
        for (std::int64_t h = 0; h < got.extent(2); ++h) {
            std::vector<Row> rows;
            for (std::int64_t i = 0; i < got.extent(1); ++i) {
                if (fails(golden, got, {b, i, h})) rows.push_back({b, i, h});
            }
            if (rows.size() > best.size()) best = std::move(rows);
        }
    }
    if (best.size() <= most) return best;
    std::vector<Row> chosen;
    for (std::size_t n = 0; n < most; ++n) chosen.push_back(best[n * best.size() / most]);
    return chosen;
}

/// The change of each cell's numerator, relative to its mass, that makes up the error: error = sum_g x_g w_g o_g.
struct Fit {
    std::vector<double> change;
    bool good = false;  ///< what is left of the error is rounding, or a hundredth of its energy
};

/// What the numerators of all cells have in common: a change of the denominator. That is what lse says, where it leaves
/// some cell as it was; else most of the mass that is not lost whole counts as unchanged.
double common_factor(const std::vector<double>& mass, const std::vector<double>& change, double lse_error) {
    const double told = std::exp(-lse_error);
    for (const double one : change) {
        if (std::abs((1 + one) / told - 1) <= 0.02) return told;
    }
    std::vector<std::size_t> order;
    double left = 0;
    for (std::size_t g = 0; g < change.size(); ++g) {
        if (change[g] <= -0.95) continue;
        order.push_back(g);
        left += mass[g];
    }
    std::sort(order.begin(), order.end(), [&](auto p, auto q) { return change[p] < change[q]; });
    double below = 0;
    for (const std::size_t g : order) {
        below += mass[g];
        if (2 * below >= left) return 1 + change[g];
    }
    return 1;
}

/// Least squares over channels, in units of sigma. Cells beyond half the channels would fit anything.
/// lse_error: NaN where it is not known or none.
Fit fitted(const RowCells& cells, const std::vector<double>& error, const std::vector<double>& sigma,
           double lse_error) {
    Fit fit;
    const auto count = static_cast<Eigen::Index>(cells.mass.size());
    const auto channels = static_cast<Eigen::Index>(error.size());
    if (count == 0 || 2 * count > channels) return fit;
    Eigen::MatrixXd a(channels, count);
    Eigen::VectorXd e(channels);
    for (Eigen::Index c = 0; c < channels; ++c) {
        const double s = sigma[static_cast<std::size_t>(c)];
        if (!(s > 0)) return fit;
        e(c) = error[static_cast<std::size_t>(c)] / s;
        for (Eigen::Index g = 0; g < count; ++g) {
            a(c, g) =
                cells.out[static_cast<std::size_t>(g * channels + c)] * cells.mass[static_cast<std::size_t>(g)] / s;
        }
    }
    const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(a);
    if (qr.rank() < count) return fit;
    const Eigen::VectorXd x = qr.solve(e);
    const double left = (e - a * x).squaredNorm(), degrees = static_cast<double>(channels - count);
    const double line = lines_for("out").row;
    fit.good = left <= std::max(line * line * degrees, 0.01 * e.squaredNorm());
    fit.change.assign(x.data(), x.data() + x.size());
    const double common = common_factor(cells.mass, fit.change, lse_error);
    for (double& change : fit.change) change = (1 + change) / common - 1;
    return fit;
}

/// Mass and its change, summed over rows.
struct Pooled {
    double mass = 0, change = 0;
    std::int64_t rows = 0;
    void add(double m, double relative) {
        mass += m;
        change += m * relative;
        ++rows;
    }
    /// -1: lost whole; 1: counted twice.
    [[nodiscard]] double relative() const { return mass > 0 ? change / mass : 0; }
};

std::string change_text(const Pooled& one) {
    const double x = one.relative();
    if (std::abs(x + 1) <= 0.05) return "lost all of its mass";
    if (std::abs(x - 1) <= 0.05) return "counts twice";
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s %.0f %% of its mass", x < 0 ? "lost" : "gained", 100 * std::abs(x));
    return text.data();
}

/// The parts whose mass changed by a twentieth at least, if some did not.
std::vector<std::string> changed(const std::vector<Pooled>& parts, const auto& name) {
    std::vector<std::string> texts;
    std::size_t seen = 0;
    for (std::size_t n = 0; n < parts.size(); ++n) {
        seen += parts[n].rows > 0 ? 1 : 0;
        if (parts[n].rows > 0 && std::abs(parts[n].relative()) >= 0.05) {
            texts.push_back(name(n) + " " + change_text(parts[n]));
        }
    }
    if (texts.size() > 3 || texts.size() >= seen) texts.clear();
    return texts;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& one : texts) all += (all.empty() ? "" : ", ") + one;
    return all;
}

}  // namespace

MassShift mass_shift(const golden::CaseData& golden, const golden::Results& candidate, double multiply_adds) {
    MassShift result;
    const Problem& problem = golden.problem;
    const Shape& shape = problem.shape;
    if (!golden.results.out || !candidate.out || !golden.judge || problem.sparse_prefill()) return result;
    const double per_row = static_cast<double>(shape.seq_k) * static_cast<double>(shape.head_dim + shape.head_dim_v);
    const auto most = static_cast<std::size_t>(std::min<double>(most_rows, multiply_adds / per_row));
    if (most == 0 || golden.inputs.k.values().empty()) return result;
    const std::vector<Row> rows = chosen_rows(golden, *candidate.out, most);
    if (rows.empty()) return result;

    std::vector<std::int64_t> numbers;
    for (const Row& one : rows) numbers.push_back(one.row);
    const std::vector<RowCells> all = key_masses(problem, golden.inputs, rows[0].batch, rows[0].head, numbers,
                                                 std::max<std::int64_t>(1, shape.head_dim_v / 2));
    result.work = per_row * static_cast<double>(rows.size());
    std::int64_t columns = 0;
    for (const RowCells& cells : all) {
        for (const std::int64_t column : cells.column) columns = std::max(columns, column + 1);
    }
    const std::int64_t row_step = (shape.seq_q + grid_rows - 1) / grid_rows;
    const std::int64_t blocks = (shape.seq_q + row_step - 1) / row_step;
    std::vector<Pooled> cell(static_cast<std::size_t>(blocks * columns)), chunk(static_cast<std::size_t>(columns)),
        mode(all_modes.size());
    for (std::size_t n = 0; n < rows.size(); ++n) {
        std::vector<double> error, sigma;
        for (std::int64_t c = 0; c < shape.head_dim_v; ++c) {
            const Row& at = rows[n];
            error.push_back((*candidate.out)(at.batch, at.row, at.head, c) -
                            (*golden.results.out)(at.batch, at.row, at.head, c));
            sigma.push_back(double{golden.judge->scales.out(at.batch, at.row, at.head, c)});
        }
        ++result.rows;
        double lse_error = nan;
        if (candidate.lse && golden.results.lse) {
            const Row& at = rows[n];
            const double e =
                (*candidate.lse)(at.batch, at.head, at.row) - (*golden.results.lse)(at.batch, at.head, at.row);
            // An lse that is right was summed apart from the numerators, and says nothing of them.
            if (std::abs(e) > lines_for("lse").element * double{golden.judge->scales.lse(at.batch, at.head, at.row)})
                lse_error = e;
        }
        const Fit fit = fitted(all[n], error, sigma, lse_error),
                  by_mode = fitted(all[n].by_mode(), error, sigma, lse_error);
        if (by_mode.good && by_mode.change.size() > 1) {
            const RowCells modes = all[n].by_mode();
            for (std::size_t g = 0; g < by_mode.change.size(); ++g)
                mode[static_cast<std::size_t>(modes.mode[g])].add(modes.mass[g], by_mode.change[g]);
        }
        if (!fit.good || fit.change.size() < 2) continue;
        ++result.explained;
        for (std::size_t g = 0; g < fit.change.size(); ++g) {
            const auto column = static_cast<std::size_t>(all[n].column[g]);
            chunk[column].add(all[n].mass[g], fit.change[g]);
            cell[static_cast<std::size_t>(rows[n].row / row_step * columns) + column].add(all[n].mass[g],
                                                                                          fit.change[g]);
        }
    }
    if (result.explained == 0) return result;

    const std::int64_t chunks_per_column = all[0].chunks_per_column;
    result.grid = {"attention mass gained or lost",
                   "query row",
                   "key chunk",
                   "mass of the row",
                   row_step,
                   chunks_per_column,
                   blocks,
                   columns,
                   {}};
    for (const Pooled& one : cell) {
        result.grid.values.push_back(one.rows > 0 ? one.change / static_cast<double>(one.rows) : nan);
    }
    const auto of_rows = [&](std::int64_t count) {
        return " (head " + std::to_string(rows[0].head) + ", " + std::to_string(count) + " of " +
               std::to_string(result.rows) + " failing rows looked at)";
    };
    // The three modes are the simpler account, where they are one.
    std::int64_t mode_rows = 0;
    for (const Pooled& one : mode) mode_rows = std::max(mode_rows, one.rows);
    const auto modes =
        changed(mode, [](std::size_t n) { return "attention to " + std::string(name(all_modes[n])) + " keys"; });
    const auto chunks = changed(chunk, [&](std::size_t n) {
        const auto first = static_cast<std::int64_t>(n) * chunks_per_column;
        return "key chunk " + std::to_string(first) +
               (chunks_per_column > 1 ? ".." + std::to_string(first + chunks_per_column - 1) : std::string());
    });
    if (2 * mode_rows >= result.rows && !modes.empty()) {
        result.findings.push_back(joined(modes) + of_rows(mode_rows));
    } else if (2 * result.explained >= result.rows && !chunks.empty()) {
        result.findings.push_back(joined(chunks) + of_rows(result.explained));
    }
    return result;
}

}  // namespace dca::verify
