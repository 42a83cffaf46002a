// One query tile against the keys of one span inside one key tile: which elements are visible, and the products over
// the visible part. Above the causal diagonal nothing is multiplied; leaving out terms that are exactly 0 changes no
// bit.
#pragma once

#include <cstdint>

#include "reference/operands.hpp"

namespace dca::reference {

/// Rows x columns of scores, row r at r * stride. Row r sees columns [begin(), end(r)); end never decreases with r.
class VisibleBlock {
public:
    VisibleBlock(const KeySpan& span, const KeyBlock& block, const QueryTile& tile);

    [[nodiscard]] int rows() const { return rows_; }
    [[nodiscard]] int columns() const { return columns_; }
    [[nodiscard]] int begin() const { return begin_; }
    [[nodiscard]] int end(int row) const;
    /// Columns of a row that the row functions work on: end rounded up to a vector, 0 where the row sees none.
    [[nodiscard]] int worked(int row) const;

    /// Sets what the row does not see to `hidden` up to worked(row), where exp makes it 0.
    void hide(int row, double* scores, double hidden) const;
    /// Sets the columns from worked(row) on to 0.
    void clear_rest(int row, double* scores) const;

    /// out = left right^T where anything is visible; the rest of out is left alone. left: packed rows; right: packed
    /// keys from the block's base on; both of `dim` channels.
    void scores(const double* left, const double* right, int dim, double* out, std::ptrdiff_t stride) const;
    /// target (rows x channels, row stride channels) += source times the values of the block's keys, compensated.
    /// packed: left_size(rows, columns).
    void over_keys(const double* source, std::ptrdiff_t stride, const double* values, std::ptrdiff_t values_stride,
                   int channels, double* packed, double* target, double* target_error) const;
    /// target (keys from base on x channels) += transposed source times the packed right rows of the tile,
    /// compensated. packed: left_size(columns, rows).
    void over_rows(const double* source, std::ptrdiff_t stride, const double* rows, int channels, double* packed,
                   double* target, double* target_error) const;

private:
    /// The first row that sees more than `column` columns, at most rows().
    [[nodiscard]] int first_row_past(int column) const;

    int rows_, columns_, begin_, last_;
    int first_end_;  ///< end of row 0 were it not below begin; the ends of an intra span grow by one a row
    int growth_;     ///< 1 in an intra span, else 0
};

}  // namespace dca::reference
