#include "reference/visible_block.hpp"

#include <algorithm>

namespace dca::reference {
namespace {

constexpr int vector_lanes = 8;
constexpr int row_step = tiles::row_alignment, column_step = tiles::column_alignment;

}  // namespace

VisibleBlock::VisibleBlock(const KeySpan& span, const KeyBlock& block, const QueryTile& tile)
    : rows_(tile.rows()),
      columns_(block.columns),
      begin_(static_cast<int>(block.first - block.base)),
      last_(static_cast<int>(block.last - block.base)),
      first_end_(last_),
      growth_(0) {
    if (span.mode != Mode::intra || tile.first_index + 1 >= block.last) return;
    first_end_ = static_cast<int>(std::max<std::int64_t>(tile.first_index + 1 - block.base, -rows_));
    growth_ = 1;
}

int VisibleBlock::end(int row) const {
    return std::clamp(first_end_ + growth_ * row, begin_, last_);
}

int VisibleBlock::worked(int row) const {
    const int visible = end(row);
    return visible > begin_ ? static_cast<int>(round_up(visible, vector_lanes)) : 0;
}

void VisibleBlock::hide(int row, double* scores, double hidden) const {
    const int to = worked(row);
    std::fill(scores, scores + std::min(begin_, to), hidden);
    std::fill(scores + std::min(end(row), to), scores + to, hidden);
}

void VisibleBlock::clear_rest(int row, double* scores) const {
    std::fill(scores + worked(row), scores + columns_, 0.0);
}

int VisibleBlock::first_row_past(int column) const {
    if (growth_ == 0) return 0;
    return std::clamp(column + 1 - first_end_, 0, rows_);
}

void VisibleBlock::scores(const double* left, const double* right, int dim, double* out, std::ptrdiff_t stride) const {
    const tiles::Kernels& kernels = tiles::best();
    const int padded_rows = static_cast<int>(round_up(rows_, row_step));
    const std::ptrdiff_t panels = KeyOperands::scores_stride(dim);
    if (growth_ == 0) {
        kernels.multiply_packed(padded_rows, columns_, dim, left, right, panels, out, stride, false);
        return;
    }
    for (int column = 0; column < columns_; column += column_step) {
        const int skip = first_row_past(column) / row_step * row_step;
        if (skip >= padded_rows) break;
        kernels.multiply_packed(padded_rows - skip, column_step, dim, left + static_cast<std::ptrdiff_t>(skip) * dim,
                                right + static_cast<std::ptrdiff_t>(column) * dim, panels, out + skip * stride + column,
                                stride, false);
    }
}

void VisibleBlock::over_keys(const double* source, std::ptrdiff_t stride, const double* values,
                             std::ptrdiff_t values_stride, int channels, double* packed, double* target,
                             double* target_error) const {
    const tiles::Kernels& kernels = tiles::best();
    // Groups of rows that see all columns go together; on the diagonal each group of twelve has its own length.
    for (int row = 0; row < rows_;) {
        const bool full = growth_ == 0 || end(row) == last_;
        const int count = full ? rows_ - row : std::min(row_step, rows_ - row);
        const int length = full ? columns_ : end(row + count - 1);
        if (length > 0) {
            const int padded = static_cast<int>(round_up(count, row_step));
            kernels.pack_left(false, count, length, source + row * stride, stride, packed);
            kernels.multiply_compensated(padded, channels, length, packed, values, values_stride,
                                         target + static_cast<std::ptrdiff_t>(row) * channels,
                                         target_error + static_cast<std::ptrdiff_t>(row) * channels, channels);
        }
        row += count;
    }
}

void VisibleBlock::over_rows(const double* source, std::ptrdiff_t stride, const double* rows, int channels,
                             double* packed, double* target, double* target_error) const {
    const tiles::Kernels& kernels = tiles::best();
    const std::ptrdiff_t panels = static_cast<std::ptrdiff_t>(rows_) * kernels.right_panel;
    for (int column = 0; column < columns_;) {
        const int from = first_row_past(column);
        const int count = growth_ == 0 ? columns_ : std::min(row_step, columns_ - column);
        if (from >= rows_) break;
        const int padded = static_cast<int>(round_up(count, row_step));
        kernels.pack_left(true, count, rows_ - from, source + from * stride + column, stride, packed);
        kernels.multiply_compensated(padded, channels, rows_ - from, packed,
                                     rows + static_cast<std::ptrdiff_t>(from) * kernels.right_panel, panels,
                                     target + static_cast<std::ptrdiff_t>(column) * channels,
                                     target_error + static_cast<std::ptrdiff_t>(column) * channels, channels);
        column += count;
    }
}

}  // namespace dca::reference
