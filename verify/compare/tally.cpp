#include "verify/compare/tally.hpp"

#include <algorithm>
#include <cmath>

namespace dca::verify {

bool norm_within(long double squares, double line, long double scale_squares) {
    return std::sqrt(squares) <= line * std::sqrt(scale_squares);
}

double norm_ratio(long double squares, long double scale_squares) {
    return squares == 0 ? 0 : static_cast<double>(std::sqrt(squares) / std::sqrt(scale_squares));
}

GridShape GridShape::of(std::int64_t rows, std::int64_t lanes) {
    constexpr std::int64_t most_rows = 128, most_columns = 64;
    const auto ceiling = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
    GridShape shape;
    if (rows == 0 || lanes == 0) return shape;
    shape.row_step = ceiling(rows, most_rows);
    shape.column_step = ceiling(lanes, most_columns);
    shape.rows = ceiling(rows, shape.row_step);
    shape.columns = ceiling(lanes, shape.column_step);
    return shape;
}

void Tally::clear() {
    regions = {};
    findings = {};
    nonfinite_mismatches = 0;
    worst.index.clear();
    worst_row.reset();
    histogram = {};
    std::fill(grid.begin(), grid.end(), nothing);
    octaves = {};
    exact_in_octaves = 0;
}

void Tally::count_octaves() {
    for (const auto& lane : octaves.of) {
        for (std::size_t k = 0; k < histogram.counts.size(); ++k) histogram.counts[k] += lane[k];
    }
    histogram.counts[0] -= exact_in_octaves;
    histogram.exact += exact_in_octaves;
    octaves = {};
    exact_in_octaves = 0;
}

void Tally::note_row(RegionTally& region, const RowReport& row) {
    region.report.worst_row_ratio = std::max(region.report.worst_row_ratio, row.ratio);
    if (!worst_row || row.ratio > worst_row->ratio) worst_row = row;
}

void Tally::add(const Tally& next) {
    for (std::size_t r = 0; r < regions.size(); ++r) {
        RegionTally& to = regions[r];
        const RegionTally& from = next.regions[r];
        to.report.rows += from.report.rows;
        to.report.bad_rows += from.report.bad_rows;
        to.report.elements += from.report.elements;
        to.report.bad_elements += from.report.bad_elements;
        to.report.worst_element_ratio = std::max(to.report.worst_element_ratio, from.report.worst_element_ratio);
        to.report.worst_row_ratio = std::max(to.report.worst_row_ratio, from.report.worst_row_ratio);
        to.squares.add(from.squares);
        to.zeros_would_fail = to.zeros_would_fail || from.zeros_would_fail;
        to.judged += from.judged;
        to.largest_expected = std::max(to.largest_expected, from.largest_expected);
        to.largest_sigma = std::max(to.largest_sigma, from.largest_sigma);
    }
    findings.plus_inf_for_empty += next.findings.plus_inf_for_empty;
    findings.broken_expected += next.findings.broken_expected;
    findings.unusable_sigma += next.findings.unusable_sigma;
    nonfinite_mismatches += next.nonfinite_mismatches;
    if (!next.worst.index.empty() && (worst.index.empty() || next.worst.ratio > worst.ratio)) worst = next.worst;
    if (next.worst_row && (!worst_row || next.worst_row->ratio > worst_row->ratio)) worst_row = next.worst_row;
    for (std::size_t k = 0; k < histogram.counts.size(); ++k) histogram.counts[k] += next.histogram.counts[k];
    histogram.exact += next.histogram.exact;
    histogram.nonfinite += next.histogram.nonfinite;
    for (std::size_t c = 0; c < grid.size(); ++c) note_cell(c, next.grid[c]);
}

}  // namespace dca::verify
