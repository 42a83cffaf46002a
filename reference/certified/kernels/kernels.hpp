// One instruction set's kernels on rows and small matrices of double-doubles: unevaluated sums hi + lo with |lo| <=
// half an ulp of hi. Every error bound below is derived in docs/certified.md; u = 2^-53. No standard library beyond
// <cstddef>, for the reason given in reference/tiles/kernels.hpp.
#pragma once

#include <cstddef>

namespace dca::certified {

/// Sizes of packed operands and rows are padded with zeros to these for every instruction set.
inline constexpr int row_alignment = 4;
inline constexpr int column_alignment = 16;

/// C (+)= left right, double-doubles: left is m x k, right k x n. lo parts may be null: the operand is of doubles.
///
/// Element (i, c) is summed in fixed point: s starts at bias = row_bias[i] column_bias[c] = 1.5 2^E, far above every
/// partial sum, so that what each addition cuts off is known exactly; it is collected in a second sum.
/// Precondition: (1 + 2^-20) sum_k |left_ik right_kc| <= 2^(E-1) over the hi parts. Then |C - exact| <=
/// product_error(k, lo parts) 2^E + 3k 2^-1074.
struct Product {
    int m, n, k;                   ///< m and n multiples of row_alignment, column_alignment
    const double *left, *left_lo;  ///< packed
    const double *right, *right_lo;
    std::ptrdiff_t right_stride;  ///< doubles between right panels
    const double* row_bias;       ///< m numbers 1.5 2^e
    const double* column_bias;    ///< n powers of two, or null: all 1
    double *hi, *lo;
    std::ptrdiff_t ld;
    bool accumulate;  ///< add to C (a double-double addition: 3 u^2 relative to the sum)
};

/// All instruction sets give the same bits.
struct Kernels {
    const char* name;  ///< avx512, avx2, portable

    /// Left operand (m x k; stored k x m if transposed) into panels of rows, padded.
    void (*pack_left)(bool transposed, int m, int k, const double* a, std::ptrdiff_t lda, double* packed);
    /// Right operand (k x n; stored n x k if transposed) into panels of columns, `stride` doubles apart.
    void (*pack_right)(bool transposed, int n, int k, const double* b, std::ptrdiff_t ldb, double* packed,
                       std::ptrdiff_t stride);
    void (*multiply)(const Product& product);
    int right_panel;  ///< columns of one right panel; divides column_alignment

    // Rows: n is a multiple of 8.

    double (*row_max)(const double* row, int n);
    /// x = exp(x) 2^-exponent, |x| <= 2^19, and their sum. Relative error of each: 32 u^2 + 4 u^2 |x|; results below
    /// 2^-899, and that of hi = -inf, are 0. The sum is within 2^-96 of itself for n <= 128.
    void (*exp_sum)(double* hi, double* lo, int n, double exponent, double* sum_hi, double* sum_lo);
    /// x = exp(x) 2^-exponent factor; 6 u^2 more.
    void (*exp_times)(double* hi, double* lo, int n, double exponent, double factor_hi, double factor_lo);
    /// x = p (x - shift): the difference within 3 u^2 (|x| + |shift|), the product 6 u^2. Returns sum |hi| rounded.
    double (*score_gradient)(const double* p_hi, const double* p_lo, double* hi, double* lo, int n, double shift_hi,
                             double shift_lo);
    /// sums[j] += factor |row[j]|, rounded.
    void (*add_columns)(const double* row, int n, double factor, double* sums);
    /// x *= factor: within 6 u^2.
    void (*scale)(double* hi, double* lo, int n, double factor_hi, double factor_lo);
    /// x += y: within 3 u^2 of the sum.
    void (*add)(double* hi, double* lo, const double* y_hi, const double* y_lo, int n);
    /// The sum of x[j] (y_hi[j] + y_lo[j]): within dot_error(n) sum |x y|.
    void (*dot)(const double* x, const double* y_hi, const double* y_lo, int n, double* hi, double* lo);
    /// z = x y, complex numbers: 16 numbers each for each eight, {re hi, im hi} and {re lo, im lo} in eights.
    /// Every component within 9 u^2 |x| |y|.
    void (*multiply_complex)(const double* x_hi, const double* x_lo, const double* y_hi, const double* y_lo, int n,
                             double* z_hi, double* z_lo);
};

/// Steps after which the sum of what was cut off is put aside, so that it stays small where it is rounded.
inline constexpr int block_steps = 16;

/// See Product (docs/certified.md): roundings within the blocks, at their ends, of what was cut off, and the products
/// of lo parts that were left out; in units of u^2, with a tenth of one per cent to spare.
[[nodiscard]] constexpr double product_error(int k, int lo_parts) {
    const double blocks = (k + block_steps - 1) / block_steps;
    const double within = blocks * (1 + lo_parts) * block_steps * (block_steps + 5) / 2;
    const double between = block_steps * blocks * (blocks + 1) / 2 + 2 * blocks;
    return (within + between + k + 1) * 1.001 * 0x1p-106;
}

/// See Kernels::dot.
[[nodiscard]] constexpr double dot_error(int n) {
    const double steps = n / 8.0 + 8;
    return 8 * steps * steps * 0x1p-106;
}

/// Doubles a packed left operand takes.
[[nodiscard]] constexpr std::size_t left_size(int m, int k) {
    return static_cast<std::size_t>((m + row_alignment - 1) / row_alignment * row_alignment) *
           static_cast<std::size_t>(k);
}

}  // namespace dca::certified
