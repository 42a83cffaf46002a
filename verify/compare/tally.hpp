// What a part of a tensor adds up to, and how the parts become one: in the order of the tensor, so that sums have one
// order and the first of equals stays the worst.
#pragma once

#include <array>
#include <optional>

#include "verify/compare/reason.hpp"
#include "verify/compare/strip.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

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

/// sqrt(squares) <= line * sqrt(scale_squares)
[[nodiscard]] bool norm_within(long double squares, double line, long double scale_squares);
/// sqrt(squares / scale_squares); 0 / 0 is 0.
[[nodiscard]] double norm_ratio(long double squares, long double scale_squares);

/// What one region adds up to, and whether zeros in place of the candidate's values would have been noticed there.
struct RegionTally {
    RegionReport report;  ///< counts and worst ratios
    Squares squares;
    bool zeros_would_fail = false;
    std::int64_t judged = 0;  ///< elements with a finite expected value and a usable sigma
    double largest_expected = 0, largest_sigma = 0;
};

/// How rows and heads are folded into the cells of the first grid (TensorReport::grids): at most 128 x 64.
struct GridShape {
    std::int64_t row_step = 1, column_step = 1, rows = 0, columns = 0;

    /// lanes: heads of all batch entries, one after the other.
    static GridShape of(std::int64_t rows, std::int64_t lanes);
    [[nodiscard]] std::size_t cell(std::int64_t row, std::int64_t lane) const {
        return static_cast<std::size_t>(row / row_step * columns + lane / column_step);
    }
    [[nodiscard]] std::size_t cells() const { return static_cast<std::size_t>(rows * columns); }
};

struct Tally {
    static constexpr double nothing = -1;  ///< a cell that no ratio has reached

    explicit Tally(std::size_t cells) : grid(cells, nothing) {}

    /// Begins again, keeping the memory.
    void clear();
    /// Adds the part that follows. Octaves are counted out before.
    void add(const Tally& next);
    /// The octaves of plain strips go into the histogram.
    void count_octaves();
    /// Notes a ratio of an element if it is the first or the worst so far; index is asked for only then.
    template <class MakeReport>
    void note(RegionTally& region, double ratio, const MakeReport& make_report) {
        if (ratio > region.report.worst_element_ratio) region.report.worst_element_ratio = ratio;
        if (worst.index.empty() || ratio > worst.ratio) worst = make_report();
    }
    void note_row(RegionTally& region, const RowReport& row);
    void note_cell(std::size_t cell, double ratio) {
        if (ratio > grid[cell]) grid[cell] = ratio;
    }

    std::array<RegionTally, 4> regions{};
    Findings findings;
    std::int64_t nonfinite_mismatches = 0;
    ElementReport worst;  ///< no index: none
    std::optional<RowReport> worst_row;
    RatioHistogram histogram;
    std::vector<double> grid;
    OctaveCounts octaves{};
    std::int64_t exact_in_octaves = 0;  ///< elements without an error among those
};

}  // namespace dca::verify
