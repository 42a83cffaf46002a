// A small row-major matrix and its products, on top of the tile kernels.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/math/aligned_buffer.hpp"
#include "reference/tiles/tiles.hpp"

namespace dca::reference::noise {

/// Rows of doubles that live elsewhere.
struct Rows {
    const double* data;
    int rows, columns;
    std::ptrdiff_t stride;
    [[nodiscard]] const double* row(int r) const { return data + r * stride; }
    [[nodiscard]] Rows slice(int first, int count) const { return {row(first), count, columns, stride}; }
    [[nodiscard]] Rows column_slice(int first, int count) const { return {data + first, rows, count, stride}; }
};

/// An owning matrix, zero when made.
class Matrix {
public:
    Matrix() = default;
    Matrix(int rows, int columns)
        : rows_(rows), columns_(columns), values_(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {}

    [[nodiscard]] double* row(int r) { return values_.data() + static_cast<std::ptrdiff_t>(r) * columns_; }
    [[nodiscard]] const double* row(int r) const { return values_.data() + static_cast<std::ptrdiff_t>(r) * columns_; }
    [[nodiscard]] int rows() const { return rows_; }
    [[nodiscard]] int columns() const { return columns_; }
    [[nodiscard]] Rows view() const { return {values_.data(), rows_, columns_, columns_}; }
    /// The leading rows x columns corner.
    [[nodiscard]] Rows corner(int rows, int columns) const { return {values_.data(), rows, columns, columns_}; }
    void clear() { values_.assign(values_.size(), 0.0); }

private:
    int rows_ = 0, columns_ = 0;
    std::vector<double> values_;
};

/// Products of one thread: owns the workspace of the kernels.
class Products {
public:
    /// c (+)= a b
    void nn(const Rows& a, const Rows& b, Matrix& c, bool accumulate, int first_row = 0) {
        run(tiles::Product::nn, a.rows, b.columns, a.columns, a, b, c, accumulate, first_row);
    }
    /// c = a b^T
    void nt(const Rows& a, const Rows& b, Matrix& c) {
        run(tiles::Product::nt, a.rows, b.rows, a.columns, a, b, c, false, 0);
    }
    /// Rows first_row ... of c (+)= a^T b
    void tn(const Rows& a, const Rows& b, Matrix& c, bool accumulate, int first_row = 0) {
        run(tiles::Product::tn, a.columns, b.columns, a.rows, a, b, c, accumulate, first_row);
    }

private:
    void run(tiles::Product product, int m, int n, int k, const Rows& a, const Rows& b, Matrix& c, bool accumulate,
             int first_row) {
        const std::size_t needed = tiles::workspace_size(m, n, k);
        if (needed > size_) {
            workspace_ = AlignedBuffer(needed);
            size_ = needed;
        }
        tiles::best().multiply(product, m, n, k, a.data, a.stride, b.data, b.stride, c.row(first_row), c.columns(),
                               accumulate, workspace_.data());
    }

    AlignedBuffer workspace_;
    std::size_t size_ = 0;
};

}  // namespace dca::reference::noise
