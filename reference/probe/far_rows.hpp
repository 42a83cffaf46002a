// Rows that meet keys at the far position, summed chunk by chunk: what every key of an earlier chunk reads.
#pragma once

#include "reference/probe/head.hpp"

namespace dca::reference::probe {

/// Sums over rows with p = scale w.
struct RowSums {
    const double* at;
    int dim_v;
    [[nodiscard]] double scale() const { return at[1]; }         ///< sum scale
    [[nodiscard]] double delta() const { return at[0]; }         ///< sum scale delta
    [[nodiscard]] const double* dout() const { return at + 2; }  ///< sum scale dout
};

class FarRows {
public:
    FarRows(const Head& head, GradientOf which);

    /// Rows of `chunk` that are not near: they meet the keys of the chunk before at the far position.
    [[nodiscard]] RowSums next(std::int64_t chunk) const;
    /// All rows of `chunk` and of later ones.
    [[nodiscard]] RowSums from(std::int64_t chunk) const;

private:
    std::int64_t first_, last_;
    int dim_v_;
    Moments next_, from_;  ///< of chunk first_ + n; one more of zeros
};

}  // namespace dca::reference::probe
