// The acceptance rule (docs/error_model.md), applied to any rows of one tensor.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "verify/compare/compare.hpp"
#include "verify/compare/tally.hpp"

namespace dca::verify {

/// Knows the tensor's shape, lines and regions, and nothing of its values: rows may be judged anywhere and by several
/// threads at once, each into a tally of its own. Rank 4 tensors are (batch, row, head, channel), rank 3 (lse) is
/// (batch, head, row); a "lane" is a head of a batch entry, and a row of one lane is the unit that is counted.
///
/// Rows are measured in double (strip.hpp). Nothing is decided by that where double could not: a row that holds
/// something not finite, sums of squares beyond [2^-500, 2^500], a sum within 2^-40 of its line, or more than 2^14
/// channels are added up again in long double. Outside of these, a sum of n <= 2^14 squares has a relative error below
/// (n / 8 + 8) 2^-53 < 2^-41, what underflow loses included, so both arithmetics decide alike; a reported row ratio has
/// a relative error below 2^-41.
class RowJudge {
public:
    /// row_numbers: of the rows where they are a selection; empty: all. region_of_row: by number, outlives the judge.
    /// kernel: every one gives the same report.
    RowJudge(const std::string& tensor, std::span<const std::int64_t> extents,
             std::span<const std::int64_t> row_numbers, std::span<const Region> region_of_row,
             StripKernel kernel = strip_kernel());

    /// Rows of one lane in the order of the tensor: of all lanes together.
    [[nodiscard]] std::int64_t count() const { return rows_ * lanes_; }
    [[nodiscard]] std::int64_t channels() const { return channels_; }
    [[nodiscard]] Tally new_tally() const { return Tally(grid_.cells()); }

    /// Judges whole rows from number `first` of count() on; sigma is empty where the golden has no scales. How the rows
    /// of a tensor are cut into calls changes nothing, as long as cuts lie at multiples of cut_alignment().
    void judge(std::int64_t first, std::span<const double> expected, std::span<const double> got,
               std::span<const float> sigma, Tally& tally) const;
    [[nodiscard]] std::int64_t cut_alignment() const { return rank4_ ? 1 : longest_strip; }

    /// The report of a tally of all rows.
    [[nodiscard]] TensorReport finish(Tally tally, const std::function<double()>& natural_size, bool has_sigma) const;

private:
    static constexpr std::int64_t longest_strip = 512;

    /// Elements that follow each other and share lane, region and cell: a row, or of lse several.
    struct Strip {
        std::int64_t batch, head, row, rows;  // row: where among the rows; its number may be another
        std::span<const double> expected, got;
        std::span<const float> sigma;
    };

    [[nodiscard]] std::int64_t number_of(std::int64_t row) const;
    [[nodiscard]] Region region_of(std::int64_t row) const;
    [[nodiscard]] std::size_t cell_of(const Strip& strip) const;
    [[nodiscard]] std::int64_t strip_rows(std::int64_t first, std::int64_t row, std::int64_t most) const;
    [[nodiscard]] ElementReport element(const Strip& strip, std::size_t at, double ratio) const;
    void judge_strip(const Strip& strip, Tally& tally) const;
    bool judge_plain(const Strip& strip, Region region, Tally& tally) const;
    void judge_carefully(const Strip& strip, Region region, Tally& tally) const;
    void judge_sums(const Strip& strip, const StripSums& sums, RegionTally& region, Tally& tally) const;
    void judge_row(const Strip& strip, const Squares& squares, bool mismatch, bool seen, RegionTally& region,
                   Tally& tally) const;
    void trust(const RegionTally& tally, Region region, const std::function<double()>& natural_size,
               Findings& findings) const;
    [[nodiscard]] ErrorGrid picture(const Tally& tally) const;

    std::string tensor_;
    std::vector<std::int64_t> extents_, row_numbers_;
    std::span<const Region> region_of_row_;
    bool rank4_;
    std::int64_t rows_, heads_, lanes_, channels_;
    Lines lines_;  // row 0 for rank 3
    GridShape grid_;
    StripKernel kernel_;
};

}  // namespace dca::verify
