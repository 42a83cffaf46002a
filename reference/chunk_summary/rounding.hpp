// Where an honest kernel rounds: the computation calls this after every operation, and in a sample of the error model
// the results are disturbed there by random relative errors of the case's dtype (docs/chunk_summary.md, S.13). An exact
// Rounding leaves everything alone.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "reference/spec/dtype.hpp"

namespace dca::chunk_summary {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixRef = Eigen::Ref<Matrix>;
using ConstMatrixRef = Eigen::Ref<const Matrix>;

/// Unit roundoffs of stored results and of running sums, and half the spacing of the smallest stored numbers.
struct Units {
    double storage = 0, accumulator = 0, floor = 0;
};

class Rounding {
public:
    Rounding() = default;
    /// Disturbs; the same units and sample give the same disturbances in the same order.
    Rounding(const Units& units, std::uint64_t sample) : units_(units), state_(sample << 48), exact_(false) {
        differentiates_maximum_ = sample % 2 == 1;
    }

    [[nodiscard]] bool exact() const { return exact_; }
    /// Kernels find the gradient of a row maximum, which is 1e-8 of the others, by adding those up (automatic
    /// differentiation), or leave it out; every other sample does the one or the other.
    [[nodiscard]] bool differentiates_maximum() const { return differentiates_maximum_; }
    /// The values have been rounded to storage `times` times (a function of a library counts as two).
    void store(MatrixRef values, double times = 1);
    /// Each value is a running sum of `terms` terms whose squares add up to the entry of `energy`.
    void accumulate(MatrixRef values, const ConstMatrixRef& energy, Eigen::Index terms);

private:
    [[nodiscard]] double next();  ///< uniform on [-1, 1]: the variance 1/3 of one rounding

    Units units_;
    std::uint64_t state_ = 0;
    bool exact_ = true, differentiates_maximum_ = false;
};

/// a b, row tiles shared among threads; every element is one chain of sums whatever their number.
[[nodiscard]] Matrix product(const ConstMatrixRef& a, const ConstMatrixRef& b, Rounding& rounding);
/// Sum of the rows (1 x columns), or of the columns (rows x 1).
[[nodiscard]] Matrix sum_of_rows(const ConstMatrixRef& a, Rounding& rounding);
[[nodiscard]] Matrix sum_of_columns(const ConstMatrixRef& a, Rounding& rounding);

}  // namespace dca::chunk_summary
