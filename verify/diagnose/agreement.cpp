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
    RowRef at{};
};

/// Noise over sigma^2 in the rows of one kind. A few rows may stand out: numbers near a tie that one kernel rounds to
/// the other side. They are counted, not averaged in.
class Growth {
public:
    void add(double ratio) { ratios_.push_back(ratio); }
    void finish() {
        std::sort(ratios_.begin(), ratios_.end());
        const double typical = ratios_.empty() ? 0 : ratios_[ratios_.size() / 2];
        double sum = 0, squares = 0;
        std::int64_t rows = 0;
        for (const double one : ratios_) {
            if (one > 16 * typical && one > 0) {
                ++outliers_;
                continue;
            }
            sum += one;
            squares += one * one;
            ++rows;
        }
        mean_ = rows > 0 ? sum / static_cast<double>(rows) : 0;
        effective_ = squares > 0 ? sum * sum / squares : 1;
    }
    [[nodiscard]] double mean() const { return mean_; }
    [[nodiscard]] double outliers() const { return static_cast<double>(outliers_); }
    /// The factor on sigma^2: 1 where the mean is not larger than chance makes it.
    [[nodiscard]] double factor(double margin) const {
        const double wide = widening(effective_), grown = margin * mean_;
        return grown > wide ? grown * wide : 1;
    }

private:
    std::vector<double> ratios_;
    double mean_ = 0, effective_ = 1;
    std::int64_t outliers_ = 0;
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

std::vector<RowRef> every_row(const golden::Results& results, std::string_view tensor) {
    std::vector<RowRef> all;
    const Rows rows(results, tensor);
    for (std::int64_t b = 0; b < rows.batches(); ++b) {
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            for (std::int64_t h = 0; h < rows.heads(); ++h) all.push_back({b, i, h});
        }
    }
    return all;
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

Agreement agreement(std::string_view tensor, std::span<const RowRef> rows, const Hypothesis& hypothesis) {
    Agreement result;
    const Rows g(hypothesis.golden, tensor), c(hypothesis.candidate, tensor), m(hypothesis.exact, tensor),
        v(hypothesis.noise, tensor), h(hypothesis.honest, tensor);
    const ScaleRows s(hypothesis.scales, tensor);
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
        row.at = at;
        if (row.sigma > 0) honest.add(row.honest / row.sigma);
        all.push_back(row);
    }
    if (2 * all.size() < rows.size() || all.empty()) return result;

    // The family's margin over one kernel: what sigma^2 is of an honest kernel's own noise. Between 1 and 8 in sigma,
    // docs/error_model.md section 7.
    honest.finish();
    const double margin = honest.mean() > 0 ? std::clamp(1 / honest.mean(), 1.0, 64.0) : 1;
    // Rows the mistake does not touch say nothing of its noise, and the other way round.
    std::array<Growth, 2> growth;
    double absolute = 0;
    for (const Row& row : all) {
        if (row.sigma > 0) growth[row.mistake_fails ? 1 : 0].add(row.noise / row.sigma);
        absolute = std::max(absolute, std::max(row.sigma, margin * row.noise));
    }
    for (Growth& one : growth) one.finish();
    const double line = row_line(tensor), element_line = lines_for(std::string(tensor)).element;
    double before = 0, after = 0, standing_out = 0;
    bool golden_disagrees = false;
    result.agrees = true;
    for (const Row& row : all) {
        double scale = row.sigma * growth[row.mistake_fails ? 1 : 0].factor(margin);
        scale = std::max(scale, margin * row.noise);
        if (row.sigma == 0 && row.mistake_error > 0) scale = absolute;
        result.differs = result.differs || row.mistake_fails;
        const double ratio = row.left == 0 ? 0 : std::sqrt(row.left / scale);
        // No element stands out: sigma grown like the row's, or the kernel's own error there.
        const double grown = row.sigma > 0 ? std::sqrt(scale / row.sigma) : 0;
        bool good = ratio <= line;
        for (std::size_t e = 0; row.sigma > 0 && e < c.at(row.at).size(); ++e) {
            const double left = std::abs(c.at(row.at)[e] - m.at(row.at)[e]);
            const double own = std::sqrt(margin) * std::abs(v.at(row.at)[e]);
            if (left > element_line * (double{s.at(row.at)[e]} * grown + own)) good = false;
        }
        if (good) {
            result.ratio = std::max(result.ratio, ratio);
        } else {
            ++standing_out;
            if (!(std::sqrt(row.left) <= line * std::sqrt(absolute))) result.agrees = false;
        }
        if (!row.candidate_fails) continue;
        if (!(std::sqrt(row.candidate_error) <= line * std::sqrt(scale))) golden_disagrees = true;
        if (!std::isfinite(row.candidate_error) || !(scale > 0)) continue;
        before += row.candidate_error / scale;
        after += row.left / scale;
    }
    // As many rows may stand out as did in one kernel, and two deviations of such a count more.
    const double outliers = growth[0].outliers() + growth[1].outliers();
    if (standing_out > outliers + 2 * std::sqrt(outliers)) result.agrees = false;
    // An unrelated error is not reduced by subtracting something of its size: three quarters of its energy must go.
    result.explains =
        result.differs && result.agrees && golden_disagrees && 4 * after <= before + (before == 0 ? 1 : 0);
    return result;
}

}  // namespace dca::verify
