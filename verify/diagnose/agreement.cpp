#include "verify/diagnose/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "verify/compare/compare.hpp"

namespace dca::verify {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Results>
const auto* rank4(const Results& results, std::string_view tensor) {
    const auto pointer = [](const auto& value) { return value ? &*value : nullptr; };
    return tensor == "dq" ? pointer(results.dq) : tensor == "dk" ? pointer(results.dk) : pointer(results.dv);
}

template <class T>
std::span<const T> row_of(const Tensor<T, 4>* four, const Tensor<T, 3>* three, const RowRef& at) {
    if (four) return {&(*four)(at.batch, at.row, at.head, 0), static_cast<std::size_t>(four->extent(3))};
    return {&(*three)(at.batch, at.head, at.row), 1};
}

bool same_class(double a, double b) {
    if (std::isfinite(a) || std::isfinite(b)) return std::isfinite(a) && std::isfinite(b);
    return std::isnan(a) ? std::isnan(b) : a == b;
}

/// Mean square of a - b; infinite where classes differ, and elements that are not finite alike count nothing.
double mean_square(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t c = 0; c < a.size(); ++c) {
        if (!same_class(a[c], b[c])) return infinity;
        if (std::isfinite(a[c])) sum += (a[c] - b[c]) * (a[c] - b[c]);
    }
    return sum / static_cast<double>(a.size());
}

template <class T>
double mean_square(std::span<const T> a) {
    double sum = 0;
    for (const T x : a) sum += double{x} * double{x};
    return sum / static_cast<double>(a.size());
}

double row_line(std::string_view tensor) {
    const Lines lines = lines_for(std::string(tensor));
    return lines.row > 0 ? lines.row : lines.element;
}

/// A mean of squares of n independent normal numbers is too small by a factor f with a chance that falls with n: its
/// relative deviation is sqrt(2 / n). Four of them are allowed for.
double widening(double effective) {
    return 1 + 4 * std::sqrt(2 / std::max(effective, 2.0));
}

/// One row, all in mean squares.
struct Row {
    double sigma, noise, honest;
    double mistake_error;    ///< mistake - golden
    double candidate_error;  ///< candidate - golden
    double left;             ///< candidate - mistake
    bool candidate_fails, mistake_fails;
    double largest_left = 0, size = 0;  ///< of an element; of the mistake's row
};

/// Mean growth of noise, as a factor on sigma^2, over the rows of one kind.
struct Growth {
    double sum = 0, squares = 0;
    std::int64_t rows = 0;
    void add(double ratio) {
        sum += ratio;
        squares += ratio * ratio;
        ++rows;
    }
    [[nodiscard]] double mean() const { return rows > 0 ? sum / static_cast<double>(rows) : 0; }
    [[nodiscard]] double effective() const { return squares > 0 ? sum * sum / squares : 1; }
};

}  // namespace

Rows::Rows(const golden::Results& results, std::string_view tensor) {
    if (tensor == "lse") {
        three_ = results.lse ? &*results.lse : nullptr;
    } else {
        four_ = tensor == "out" ? (results.out ? &*results.out : nullptr) : rank4(results, tensor);
    }
}
std::span<const double> Rows::at(const RowRef& row) const {
    return row_of(four_, three_, row);
}
std::int64_t Rows::batches() const {
    return four_ ? four_->extent(0) : three_->extent(0);
}
std::int64_t Rows::rows() const {
    return four_ ? four_->extent(1) : three_->extent(2);
}
std::int64_t Rows::heads() const {
    return four_ ? four_->extent(2) : three_->extent(1);
}

ScaleRows::ScaleRows(const ErrorScales& scales, std::string_view tensor) {
    if (tensor == "lse") {
        three_ = &scales.lse;
    } else {
        four_ = tensor == "out" ? &scales.out : rank4(scales, tensor);
    }
}
std::span<const float> ScaleRows::at(const RowRef& row) const {
    return row_of(four_, three_, row);
}

bool row_fails(std::string_view tensor, std::span<const double> expected, std::span<const double> got,
               std::span<const float> sigma) {
    const Lines lines = lines_for(std::string(tensor));
    double errors = 0, scales = 0;
    for (std::size_t c = 0; c < expected.size(); ++c) {
        if (!same_class(expected[c], got[c])) return true;
        const double s = double{sigma[c]};
        if (!std::isfinite(expected[c]) || !(s >= 0)) continue;
        const double e = got[c] - expected[c];
        if (!(std::abs(e) <= lines.element * s)) return true;
        errors += e * e;
        scales += s * s;
    }
    return lines.row > 0 && !(std::sqrt(errors) <= lines.row * std::sqrt(scales));
}

bool is_near(std::string_view tensor, std::span<const RowRef> rows, const golden::Results& golden,
             const ErrorScales& scales, const golden::Results& candidate, const golden::Results& exact) {
    const Rows g(golden, tensor), c(candidate, tensor), m(exact, tensor);
    const ScaleRows s(scales, tensor);
    if (!g || !c || !m || !s) return false;
    double before = 0, after = 0, weighted_before = 0, weighted_after = 0;
    bool classes_differ = false;
    for (const RowRef& row : rows) {
        if (!row_fails(tensor, g.at(row), c.at(row), s.at(row))) continue;
        const double sigma = mean_square(s.at(row)), error = mean_square(c.at(row), g.at(row)),
                     left = mean_square(c.at(row), m.at(row));
        if (!std::isfinite(left)) return false;
        if (!std::isfinite(error)) {  // NaN or infinity, and the mistake has them in the same places
            classes_differ = true;
            continue;
        }
        before += error;
        after += left;
        if (!(sigma > 0)) continue;
        weighted_before += error / sigma;
        weighted_after += left / sigma;
    }
    return classes_differ || (before > 0 && 2 * after <= before) ||
           (weighted_before > 0 && 2 * weighted_after <= weighted_before);
}

Agreement agreement(std::string_view tensor, std::span<const RowRef> rows, const Trial& trial) {
    Agreement result;
    const Rows g(trial.golden, tensor), c(trial.candidate, tensor), m(trial.exact, tensor), v(trial.noise, tensor),
        h(trial.honest, tensor);
    const ScaleRows s(trial.scales, tensor);
    if (!g || !c || !m || !v || !s) return result;

    std::vector<Row> all;
    Growth honest;
    for (const RowRef& at : rows) {
        Row row{mean_square(s.at(at)),
                mean_square(v.at(at)),
                h ? mean_square(h.at(at)) : 0,
                mean_square(m.at(at), g.at(at)),
                mean_square(c.at(at), g.at(at)),
                mean_square(c.at(at), m.at(at)),
                row_fails(tensor, g.at(at), c.at(at), s.at(at)),
                row_fails(tensor, g.at(at), m.at(at), s.at(at))};
        if (!std::isfinite(row.sigma)) continue;
        if (!std::isfinite(row.noise)) continue;  // the kernel overflowed where the mistake itself does not
        for (std::size_t e = 0; e < c.at(at).size(); ++e) {
            const double left = c.at(at)[e] - m.at(at)[e];
            if (std::isfinite(left)) row.largest_left = std::max(row.largest_left, std::abs(left));
            if (std::isfinite(m.at(at)[e])) row.size = std::max(row.size, std::abs(m.at(at)[e]));
        }
        if (row.sigma > 0) honest.add(row.honest / row.sigma);
        all.push_back(row);
    }
    if (2 * all.size() < rows.size() || all.empty()) return result;

    // The family's margin over one kernel: what sigma^2 is of an honest kernel's own noise. Between 1 and 8 in sigma,
    // docs/error_model.md section 7.
    const double margin = honest.mean() > 0 ? std::clamp(1 / honest.mean(), 1.0, 64.0) : 1;
    // Rows the mistake does not touch say nothing of its noise, and the other way round.
    std::array<Growth, 2> growth;
    double absolute = 0;
    for (const Row& row : all) {
        if (row.sigma > 0) growth[row.mistake_fails ? 1 : 0].add(row.noise / row.sigma);
        absolute = std::max(absolute, std::max(row.sigma, margin * row.noise));
    }
    const double line = row_line(tensor), element_line = lines_for(std::string(tensor)).element;
    double before = 0, after = 0;
    result.agrees = true;
    bool golden_disagrees = false;
    for (const Row& row : all) {
        const Growth& kind = growth[row.mistake_fails ? 1 : 0];
        double scale = row.sigma * std::max(1.0, margin * kind.mean() * widening(kind.effective()));
        scale = std::max(scale, margin * row.noise);
        if (row.sigma == 0 && row.mistake_error > 0) scale = absolute;
        result.differs = result.differs || row.mistake_fails;
        const double ratio = row.left == 0 ? 0 : std::sqrt(row.left / scale);
        result.ratio = std::max(result.ratio, ratio);
        const bool element = row.largest_left <= element_line * std::sqrt(scale) * (1 + row.size / std::sqrt(row.size * row.size + scale));
        if (!(ratio <= line) || !element) result.agrees = false;
        if (row.sigma > 0 && std::isfinite(row.left)) result.energy += row.left / row.sigma;
        if (!row.candidate_fails) continue;
        if (!(std::sqrt(row.candidate_error) <= line * std::sqrt(scale))) golden_disagrees = true;
        if (!std::isfinite(row.candidate_error) || !(scale > 0)) continue;
        before += row.candidate_error / scale;
        after += row.left / scale;
    }
    // An unrelated error is not reduced by subtracting something of its size: three quarters of its energy must go.
    result.explains = result.differs && result.agrees && golden_disagrees && 4 * after <= before + (before == 0 ? 1 : 0);
    return result;
}

}  // namespace dca::verify
