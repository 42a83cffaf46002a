// The acceptance rule, applied to one tensor in one pass (docs/error_model.md).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "verify/compare/compare.hpp"
#include "verify/compare/reason.hpp"

namespace dca::verify {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

enum class Class : std::uint8_t { finite, nan, plus_inf, minus_inf };

Class class_of(double x) {
    if (std::isfinite(x)) return Class::finite;
    if (std::isnan(x)) return Class::nan;
    return x > 0 ? Class::plus_inf : Class::minus_inf;
}

double ratio_of(double error, double scale) {
    return error == 0 ? 0 : error / scale;
}

/// Sums of squares. In long double the square of a double neither overflows nor underflows.
struct Squares {
    long double error = 0, sigma = 0, expected = 0;

    void add(double e, double s, double x) {
        error += static_cast<long double>(e) * e;
        sigma += static_cast<long double>(s) * s;
        expected += static_cast<long double>(x) * x;
    }
    void add(const Squares& other) {
        error += other.error;
        sigma += other.sigma;
        expected += other.expected;
    }
};

bool norm_within(long double squares, double line, long double scale_squares) {
    return std::sqrt(squares) <= line * std::sqrt(scale_squares);
}

double norm_ratio(long double squares, long double scale_squares) {
    return squares == 0 ? 0 : static_cast<double>(std::sqrt(squares) / std::sqrt(scale_squares));
}

/// What one region adds up to, and whether zeros in place of the candidate's values would have been noticed there.
struct Tally {
    RegionReport report;
    Squares squares;
    bool zeros_would_fail = false;
    std::int64_t judged = 0;  ///< elements with a finite expected value and a usable sigma
    double largest_expected = 0, largest_sigma = 0;
};

/// Where row v of one head lies. Rank 4: (batch, row, head, channel); rank 3: (batch, head, row).
struct Place {
    std::int64_t batch, row, head;
};

class Judge {
public:
    Judge(const std::string& tensor, std::span<const std::int64_t> extents)
        : rank4_(extents.size() == 4),
          rows_(extents[rank4_ ? 1 : 2]),
          heads_(extents[rank4_ ? 2 : 1]),
          channels_(rank4_ ? extents[3] : 1),
          lines_(lines_for(tensor)) {
        report_.tensor = tensor;
        report_.extents.assign(extents.begin(), extents.end());
        report_.element_line = lines_.element;
        report_.row_line = rank4_ ? lines_.row : 0;
    }

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t channels() const { return channels_; }

    [[nodiscard]] Place place(std::int64_t v) const {
        if (rank4_) return {v / (rows_ * heads_), v / heads_ % rows_, v % heads_};
        return {v / (heads_ * rows_), v % rows_, v / rows_ % heads_};
    }

    /// One row of one head; sigma is empty where the golden has no scales.
    void row(const Place& at, Region region, std::span<const double> expected, std::span<const double> got,
             std::span<const float> sigma) {
        Tally& tally = tallies_[static_cast<std::size_t>(region)];
        ++tally.report.rows;
        Squares squares;
        bool mismatch = false;
        for (std::size_t c = 0; c < expected.size(); ++c) {
            ++tally.report.elements;
            const double scale = sigma.empty() ? std::numeric_limits<double>::quiet_NaN() : double{sigma[c]};
            const ElementReport element{{}, region, expected[c], got[c], scale, 0};
            const Class wanted = class_of(expected[c]);
            if (class_of(got[c]) != wanted) {
                mismatch = true;
                ++report_.nonfinite_mismatches;
                if (wanted == Class::minus_inf && got[c] == infinity) ++findings_.plus_inf_for_empty;
                bad(tally, at, c, element, infinity);
            } else if (wanted != Class::finite) {
                // Only a row without keys has a non-finite result by definition (Def.6): lse -inf.
                if (rank4_ || wanted != Class::minus_inf) ++findings_.broken_expected;
            } else if (!(scale >= 0 && scale < infinity)) {
                ++findings_.unusable_sigma;
            } else {
                finite(tally, at, c, element);
                squares.add(got[c] - expected[c], scale, expected[c]);
            }
        }
        close_row(tally, at, squares, mismatch);
    }

    [[nodiscard]] TensorReport finish(double natural_size, bool has_sigma) {
        findings_.has_sigma = has_sigma;
        for (Region region : all_regions) {
            Tally& tally = tallies_[static_cast<std::size_t>(region)];
            if (tally.report.rows == 0) continue;
            trust(tally, region, natural_size);
            tally.report.region = region;
            tally.report.rms_ratio = norm_ratio(tally.squares.error, tally.squares.sigma);
            tally.report.relative_l2 = norm_ratio(tally.squares.error, tally.squares.expected);
            report_.regions.push_back(tally.report);
        }
        conclude(report_, findings_);
        return std::move(report_);
    }

private:
    void finite(Tally& tally, const Place& at, std::size_t c, const ElementReport& element) {
        const double error = std::abs(element.got - element.expected);
        const double ratio = ratio_of(error, element.sigma);
        if (error <= lines_.element * element.sigma) {
            note(tally, at, c, element, ratio);
        } else {
            bad(tally, at, c, element, ratio);
        }
        ++tally.judged;
        const double size = std::abs(element.expected);
        if (!(size <= lines_.element * element.sigma)) tally.zeros_would_fail = true;
        tally.largest_expected = std::max(tally.largest_expected, size);
        tally.largest_sigma = std::max(tally.largest_sigma, element.sigma);
    }

    void bad(Tally& tally, const Place& at, std::size_t c, const ElementReport& element, double ratio) {
        ++tally.report.bad_elements;
        note(tally, at, c, element, ratio);
    }

    void note(Tally& tally, const Place& at, std::size_t c, const ElementReport& element, double ratio) {
        tally.report.worst_element_ratio = std::max(tally.report.worst_element_ratio, ratio);
        if (!report_.worst.index.empty() && !(ratio > report_.worst.ratio)) return;
        report_.worst = element;
        report_.worst.ratio = ratio;
        report_.worst.index = rank4_ ? std::vector{at.batch, at.row, at.head, static_cast<std::int64_t>(c)}
                                     : std::vector{at.batch, at.head, at.row};
    }

    void close_row(Tally& tally, const Place& at, const Squares& squares, bool mismatch) {
        tally.squares.add(squares);
        if (report_.row_line == 0) {
            tally.report.bad_rows += mismatch ? 1 : 0;
            return;
        }
        const double ratio = mismatch ? infinity : norm_ratio(squares.error, squares.sigma);
        const bool good = !mismatch && norm_within(squares.error, lines_.row, squares.sigma);
        if (!good) ++tally.report.bad_rows;
        tally.report.worst_row_ratio = std::max(tally.report.worst_row_ratio, ratio);
        if (!report_.worst_row || ratio > report_.worst_row->ratio) {
            report_.worst_row = RowReport{at.batch, at.row, at.head, ratio};
        }
        if (!norm_within(squares.expected, lines_.row, squares.sigma)) tally.zeros_would_fail = true;
    }

    /// Notes in the findings where this region could not have failed, or could have failed only for values that are not
    /// 0.
    void trust(const Tally& tally, Region region, double natural_size) {
        if (tally.judged == 0 || tally.zeros_would_fail) return;
        const bool zero_is_the_answer = tally.largest_expected <= 0x1p-40 * natural_size;
        if (zero_is_the_answer && lines_.element * tally.largest_sigma <= natural_size) {
            // Zero is what a row without keys is defined to hold; elsewhere it deserves a word.
            if (region != Region::none) findings_.zero_answer = true;
        } else {
            findings_.vacuous_in.push_back(region);
        }
    }

    bool rank4_;
    std::int64_t rows_, heads_, channels_;
    Lines lines_;
    std::array<Tally, 4> tallies_{};
    TensorReport report_;
    Findings findings_;
};

}  // namespace

TensorReport compare_tensor(const std::string& tensor, std::span<const std::int64_t> extents,
                            std::span<const double> expected, std::span<const double> got, std::span<const float> sigma,
                            std::span<const Region> region_of_row, double natural_size) {
    expects(extents.size() == 3 || extents.size() == 4, "compare_tensor: rank 3 or 4");
    std::size_t count = 1;
    for (std::int64_t extent : extents) {
        expects(extent >= 0, "compare_tensor: negative extent");
        count *= static_cast<std::size_t>(extent);
    }
    expects(expected.size() == count && got.size() == count, "compare_tensor: values do not fill the extents");
    expects(sigma.empty() || sigma.size() == count, "compare_tensor: sigma does not fill the extents");
    expects(natural_size >= 0, "compare_tensor: natural_size");

    TensorJudge judge(tensor, extents, {}, region_of_row);
    judge.add(expected, got, sigma);
    return judge.finish(natural_size, !sigma.empty() || count == 0);
}

struct TensorJudge::Impl {
    Judge judge;
    std::vector<std::int64_t> row_numbers;
    std::span<const Region> region_of_row;
    std::int64_t done = 0;
};

TensorJudge::TensorJudge(const std::string& tensor, std::span<const std::int64_t> extents,
                         std::span<const std::int64_t> row_numbers, std::span<const Region> region_of_row)
    : impl_(new Impl{Judge(tensor, extents), {row_numbers.begin(), row_numbers.end()}, region_of_row}) {
    const auto rows = static_cast<std::size_t>(impl_->judge.rows());
    expects(row_numbers.empty() ? region_of_row.size() == rows : row_numbers.size() == rows,
            "compare_tensor: one region per row");
}

TensorJudge::~TensorJudge() = default;

void TensorJudge::add(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma) {
    const auto length = static_cast<std::size_t>(impl_->judge.channels());
    for (std::size_t begin = 0; begin < expected.size(); begin += length) {
        Place at = impl_->judge.place(impl_->done++);
        if (!impl_->row_numbers.empty()) at.row = impl_->row_numbers[static_cast<std::size_t>(at.row)];
        impl_->judge.row(at, impl_->region_of_row[static_cast<std::size_t>(at.row)], expected.subspan(begin, length),
                         got.subspan(begin, length), sigma.empty() ? sigma : sigma.subspan(begin, length));
    }
}

TensorReport TensorJudge::finish(double natural_size, bool has_sigma) {
    return impl_->judge.finish(natural_size, has_sigma);
}

}  // namespace dca::verify
