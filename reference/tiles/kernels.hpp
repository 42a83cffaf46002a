// One instruction set's kernels on small double matrices. No standard library beyond <cstddef>: this header is compiled
// with instruction sets the machine may lack, and an inline function of the library emitted there could be the one the
// linker keeps for everybody.
#pragma once

#include <cstddef>

namespace dca::tiles {

/// C = A B, A B^T or A^T B, with A, B, C stored row-major. C is m x n and the inner dimension is k.
enum class Product { nn, nt, tn };

/// Packed operands are padded with zeros to these sizes for every instruction set, and C of multiply_packed with them.
inline constexpr int row_alignment = 12;
inline constexpr int column_alignment = 16;

/// Every element of a product is one chain of fused multiply-adds over k in ascending order, and exp is one fixed
/// sequence of operations, so all instruction sets give the same bits.
struct Kernels {
    const char* name;  ///< avx512, avx2, portable

    /// C (+)= op(A) op(B); accumulate: start from C, otherwise from 0. Row strides in elements. workspace: at least
    /// workspace_size(m, n, k) doubles, not shared between threads.
    void (*multiply)(Product product, int m, int n, int k, const double* a, std::ptrdiff_t lda, const double* b,
                     std::ptrdiff_t ldb, double* c, std::ptrdiff_t ldc, bool accumulate, double* workspace);

    /// Left operand (m x k; stored k x m if transposed) into panels of rows: left_size(m, k) doubles.
    void (*pack_left)(bool transposed, int m, int k, const double* a, std::ptrdiff_t lda, double* packed);
    /// Right operand (k x n; stored n x k if transposed) into panels of columns, `stride` doubles apart (at least
    /// k * right_panel): right_size(n, k) doubles when stride = k * right_panel.
    void (*pack_right)(bool transposed, int n, int k, const double* b, std::ptrdiff_t ldb, double* packed,
                       std::ptrdiff_t stride);
    /// C (+)= left right. m and n are multiples of row_alignment and column_alignment; right panels lie right_stride
    /// doubles apart.
    void (*multiply_packed)(int m, int n, int k, const double* left, const double* right, std::ptrdiff_t right_stride,
                            double* c, std::ptrdiff_t ldc, bool accumulate);
    /// C + C_error += left right: every element of the product is formed apart and added to C with a TwoSum whose
    /// rounding error is added to C_error. Otherwise as multiply_packed.
    void (*multiply_compensated)(int m, int n, int k, const double* left, const double* right,
                                 std::ptrdiff_t right_stride, double* c, double* c_error, std::ptrdiff_t ldc);
    int right_panel;  ///< columns of one right panel; divides column_alignment

    /// row[i] = exp(row[i] - shift) for i < n, and their sum (eight interleaved partial sums, then a fixed tree).
    /// exp is within 0.6 ulp where the result is normal; -inf gives 0. shift is finite, row[i] - shift <= 0.
    double (*exp_minus)(double* row, int n, double shift);
    /// Largest of n values (n >= 1); values are not NaN.
    double (*row_max)(const double* row, int n);
    /// row[i] *= factor for i < n.
    void (*scale)(double* row, int n, double factor);
    /// (row + error) *= factor for n values, a multiple of 8: what the rounding of row loses goes to error.
    void (*scale_compensated)(double* row, double* error, int n, double factor);
    /// dp[i] = p[i] * (dp[i] - delta) for i < n.
    void (*score_gradient)(const double* p, double* dp, int n, double delta);
};

/// Doubles a packed left operand takes.
[[nodiscard]] constexpr std::size_t left_size(int m, int k) {
    return static_cast<std::size_t>((m + row_alignment - 1) / row_alignment * row_alignment) * k;
}
/// Doubles a packed right operand takes.
[[nodiscard]] constexpr std::size_t right_size(int n, int k) {
    return static_cast<std::size_t>((n + column_alignment - 1) / column_alignment * column_alignment) * k;
}
[[nodiscard]] constexpr std::size_t workspace_size(int m, int n, int k) {
    return left_size(m, k) + right_size(n, k);
}

}  // namespace dca::tiles
