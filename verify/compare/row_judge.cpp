#include "verify/compare/row_judge.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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

/// Whether nothing of a sum of squares that counts over- or underflowed.
bool in_range(double squares) {
    return squares >= 0x1p-500 && squares <= 0x1p500;
}

double largest(std::span<const double> values) {
    double most = 0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
}

/// Whether rounding could have moved a sum of squares across its line.
bool near(double squares, double allowed) {
    return std::abs(squares - allowed) <= 0x1p-40 * allowed;
}

constexpr std::size_t longest_plain_row = std::size_t{1} << 14;

Squares careful_squares(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma) {
    Squares squares;
    for (std::size_t c = 0; c < expected.size(); ++c) squares.add(got[c] - expected[c], double{sigma[c]}, expected[c]);
    return squares;
}

}  // namespace

RowJudge::RowJudge(const std::string& tensor, std::span<const std::int64_t> extents,
                   std::span<const std::int64_t> row_numbers, std::span<const Region> region_of_row, StripKernel kernel)
    : tensor_(tensor),
      extents_(extents.begin(), extents.end()),
      row_numbers_(row_numbers.begin(), row_numbers.end()),
      region_of_row_(region_of_row),
      rank4_(extents.size() == 4),
      rows_(extents[rank4_ ? 1 : 2]),
      heads_(extents[rank4_ ? 2 : 1]),
      lanes_(extents[0] * heads_),
      channels_(rank4_ ? extents[3] : 1),
      lines_(lines_for(tensor)),
      kernel_(kernel) {
    expects(row_numbers.empty() ? static_cast<std::int64_t>(region_of_row.size()) == rows_
                                : static_cast<std::int64_t>(row_numbers.size()) == rows_,
            "compare_tensor: one region per row");
    if (!rank4_) lines_.row = 0;
    if (channels_ > 0) grid_ = GridShape::of(static_cast<std::int64_t>(region_of_row.size()), lanes_);
}

std::int64_t RowJudge::number_of(std::int64_t row) const {
    return row_numbers_.empty() ? row : row_numbers_[static_cast<std::size_t>(row)];
}

Region RowJudge::region_of(std::int64_t row) const {
    return region_of_row_[static_cast<std::size_t>(number_of(row))];
}

std::size_t RowJudge::cell_of(const Strip& strip) const {
    return grid_.cell(number_of(strip.row), strip.batch * heads_ + strip.head);
}

/// How many of the rows from `row` on make one strip. first: where the strip begins in the tensor.
std::int64_t RowJudge::strip_rows(std::int64_t first, std::int64_t row, std::int64_t most) const {
    if (rank4_) return 1;
    const std::int64_t limit = std::min({most, rows_ - row, longest_strip - first % longest_strip});
    const Region region = region_of(row);
    const std::int64_t block = number_of(row) / grid_.row_step;
    std::int64_t count = 1;
    while (count < limit && region_of(row + count) == region && number_of(row + count) / grid_.row_step == block) {
        ++count;
    }
    return count;
}

void RowJudge::judge(std::int64_t first, std::span<const double> expected, std::span<const double> got,
                     std::span<const float> sigma, Tally& tally) const {
    const std::int64_t end = first + static_cast<std::int64_t>(expected.size()) / channels_;
    for (std::size_t begin = 0; first < end;) {
        Strip strip{};
        if (rank4_) {
            strip = {first / (rows_ * heads_), first % heads_, first / heads_ % rows_, 1, {}, {}, {}};
        } else {
            strip = {first / (heads_ * rows_), first / rows_ % heads_, first % rows_, 0, {}, {}, {}};
            strip.rows = strip_rows(first, strip.row, end - first);
        }
        if (rank4_) strip.rows = 1;
        const auto length = static_cast<std::size_t>(strip.rows * channels_);
        strip.expected = expected.subspan(begin, length);
        strip.got = got.subspan(begin, length);
        if (!sigma.empty()) strip.sigma = sigma.subspan(begin, length);
        judge_strip(strip, tally);
        begin += length;
        first += strip.rows;
    }
}

void RowJudge::judge_strip(const Strip& strip, Tally& tally) const {
    const Region region = region_of(strip.row);
    RegionReport& report = tally.regions[static_cast<std::size_t>(region)].report;
    report.rows += strip.rows;
    report.elements += static_cast<std::int64_t>(strip.expected.size());
    if (!judge_plain(strip, region, tally)) judge_carefully(strip, region, tally);
}

ElementReport RowJudge::element(const Strip& strip, std::size_t at, double ratio) const {
    const auto offset = static_cast<std::int64_t>(at);
    const std::int64_t row = strip.row + (rank4_ ? 0 : offset), number = number_of(row);
    ElementReport report{{},
                         region_of(row),
                         strip.expected[at],
                         strip.got[at],
                         strip.sigma.empty() ? std::numeric_limits<double>::quiet_NaN() : double{strip.sigma[at]},
                         ratio};
    report.index =
        rank4_ ? std::vector{strip.batch, number, strip.head, offset} : std::vector{strip.batch, strip.head, number};
    return report;
}

/// Strips of which everything is finite: all of them but in a broken tensor. False: it is none, and nothing is done.
bool RowJudge::judge_plain(const Strip& strip, Region region, Tally& tally) const {
    if (strip.sigma.empty() || strip.expected.size() > longest_plain_row) return false;
    const auto measure = [&](std::uint32_t by) {
        return kernel_(strip.expected.data(), strip.got.data(), strip.sigma.data(), strip.expected.size(),
                       lines_.element, tally.octaves, by);
    };
    const StripSums sums = measure(1);
    if (!sums.plain) {
        measure(-1u);  // the octaves have counted what has no ratio
        return false;
    }
    RegionTally& of = tally.regions[static_cast<std::size_t>(region)];
    tally.exact_in_octaves += sums.exact;
    of.report.bad_elements += sums.bad;
    of.judged += static_cast<std::int64_t>(strip.expected.size());
    if (sums.zeros_would_fail) {
        of.zeros_would_fail = true;
    } else {  // only then is anybody interested
        of.largest_expected = std::max(of.largest_expected, largest(strip.expected));
        for (const float sigma : strip.sigma) of.largest_sigma = std::max(of.largest_sigma, double{sigma});
    }
    tally.note(of, sums.worst_ratio, [&] {
        std::size_t at = 0;
        while (ratio_of(std::abs(strip.got[at] - strip.expected[at]), double{strip.sigma[at]}) != sums.worst_ratio) {
            ++at;
        }
        return element(strip, at, sums.worst_ratio);
    });
    if (!rank4_) tally.note_cell(cell_of(strip), sums.worst_ratio);
    judge_sums(strip, sums, of, tally);
    return true;
}

/// The row rule on sums in double, or in long double where those would not do.
void RowJudge::judge_sums(const Strip& strip, const StripSums& sums, RegionTally& region, Tally& tally) const {
    const double allowed = lines_.row * lines_.row * sums.sigma;
    const bool no_error = sums.exact == static_cast<std::int64_t>(strip.expected.size());
    const bool safe =
        (in_range(sums.error) || no_error) && (in_range(sums.expected) || largest(strip.expected) == 0) &&
        (lines_.row == 0 || (sums.sigma > 0 && !near(sums.error, allowed) && !near(sums.expected, allowed)));
    if (!safe) {
        const Squares squares = careful_squares(strip.expected, strip.got, strip.sigma);
        judge_row(strip, squares, false, true, region, tally);
        return;
    }
    region.squares.add(Squares{sums.error, sums.sigma, sums.expected});
    if (lines_.row == 0) return;
    const double ratio = std::sqrt(sums.error / sums.sigma);
    if (sums.error > allowed) ++region.report.bad_rows;
    if (sums.expected > allowed) region.zeros_would_fail = true;
    tally.note_row(region, {strip.batch, number_of(strip.row), strip.head, ratio});
    tally.note_cell(cell_of(strip), ratio);
}

/// seen: something of the row could be judged.
void RowJudge::judge_row(const Strip& strip, const Squares& squares, bool mismatch, bool seen, RegionTally& region,
                         Tally& tally) const {
    region.squares.add(squares);
    if (lines_.row == 0) return;
    const double ratio = mismatch ? infinity : norm_ratio(squares.error, squares.sigma);
    const bool good = !mismatch && norm_within(squares.error, lines_.row, squares.sigma);
    if (!good) ++region.report.bad_rows;
    if (!norm_within(squares.expected, lines_.row, squares.sigma)) region.zeros_would_fail = true;
    tally.note_row(region, {strip.batch, number_of(strip.row), strip.head, ratio});
    if (seen) tally.note_cell(cell_of(strip), ratio);
}

void RowJudge::judge_carefully(const Strip& strip, Region region, Tally& tally) const {
    RegionTally& of = tally.regions[static_cast<std::size_t>(region)];
    Squares squares;
    std::int64_t mismatches = 0;
    double worst = Tally::nothing;
    const auto note = [&](std::size_t at, double ratio) {
        worst = std::max(worst, ratio);
        tally.note(of, ratio, [&] { return element(strip, at, ratio); });
    };
    for (std::size_t c = 0; c < strip.expected.size(); ++c) {
        const double expected = strip.expected[c], got = strip.got[c];
        const double scale = strip.sigma.empty() ? std::numeric_limits<double>::quiet_NaN() : double{strip.sigma[c]};
        const Class wanted = class_of(expected);
        if (class_of(got) != wanted) {
            ++mismatches;
            ++of.report.bad_elements;
            ++tally.histogram.nonfinite;
            if (wanted == Class::minus_inf && got == infinity) ++tally.findings.plus_inf_for_empty;
            note(c, infinity);
        } else if (wanted != Class::finite) {
            // Only a row without keys has a non-finite result by definition (Def.6): lse -inf.
            if (rank4_ || wanted != Class::minus_inf) ++tally.findings.broken_expected;
            worst = std::max(worst, 0.0);
        } else if (!(scale >= 0 && scale < infinity)) {
            ++tally.findings.unusable_sigma;
        } else {
            const double error = std::abs(got - expected), ratio = ratio_of(error, scale), size = std::abs(expected);
            if (!(error <= lines_.element * scale)) ++of.report.bad_elements;
            error == 0 ? ++tally.histogram.exact : ++tally.histogram.counts[octave_of(ratio)];
            note(c, ratio);
            ++of.judged;
            if (!(size <= lines_.element * scale)) of.zeros_would_fail = true;
            of.largest_expected = std::max(of.largest_expected, size);
            of.largest_sigma = std::max(of.largest_sigma, scale);
            squares.add(got - expected, scale, expected);
        }
    }
    tally.nonfinite_mismatches += mismatches;
    if (rank4_) return judge_row(strip, squares, mismatches > 0, worst >= 0, of, tally);
    of.squares.add(squares);
    of.report.bad_rows += mismatches;
    tally.note_cell(cell_of(strip), worst);
}

TensorReport RowJudge::finish(Tally tally, const std::function<double()>& natural_size, bool has_sigma) const {
    tally.count_octaves();
    TensorReport report;
    report.tensor = tensor_;
    report.extents = extents_;
    report.element_line = lines_.element;
    report.row_line = lines_.row;
    report.nonfinite_mismatches = tally.nonfinite_mismatches;
    report.histogram = tally.histogram;
    tally.findings.has_sigma = has_sigma;
    for (const Region region : all_regions) {
        RegionTally& of = tally.regions[static_cast<std::size_t>(region)];
        if (of.report.rows == 0) continue;
        trust(of, region, natural_size, tally.findings);
        of.report.region = region;
        of.report.rms_ratio = norm_ratio(of.squares.error, of.squares.sigma);
        of.report.relative_l2 = norm_ratio(of.squares.error, of.squares.expected);
        report.regions.push_back(of.report);
    }
    if (grid_.cells() > 0) report.grids.push_back(picture(tally));
    report.worst = std::move(tally.worst);
    report.worst_row = tally.worst_row;
    conclude(report, tally.findings);
    return report;
}

/// Notes in the findings where this region could not have failed, or could have failed only for values that are not 0.
void RowJudge::trust(const RegionTally& tally, Region region, const std::function<double()>& natural_size,
                     Findings& findings) const {
    if (tally.judged == 0 || tally.zeros_would_fail) return;
    const double natural = natural_size();
    const bool zero_is_the_answer = tally.largest_expected <= 0x1p-40 * natural;
    if (zero_is_the_answer && lines_.element * tally.largest_sigma <= natural) {
        // Zero is what a row without keys is defined to hold; elsewhere it deserves a word.
        if (region != Region::none) findings.zero_answer = true;
    } else {
        findings.vacuous_in.push_back(region);
    }
}

ErrorGrid RowJudge::picture(const Tally& tally) const {
    ErrorGrid grid;
    const bool keys = tensor_ == "dk" || tensor_ == "dv", queries = tensor_ == "out" || tensor_ == "dq" || !rank4_;
    grid.title = rank4_ ? "row error" : "element error";
    grid.row_axis = keys ? "key row" : queries ? "query row" : "row";
    grid.column_axis = extents_[0] > 1 ? "batch x head" : "head";
    grid.unit = "sigma";
    grid.row_step = grid_.row_step;
    grid.column_step = grid_.column_step;
    grid.rows = grid_.rows;
    grid.columns = grid_.columns;
    for (const double ratio : tally.grid) {
        grid.values.push_back(ratio == Tally::nothing ? std::numeric_limits<double>::quiet_NaN() : ratio);
    }
    return grid;
}

}  // namespace dca::verify
