// The flat tensors of a bundle as matrices, one layer at a time.
#pragma once

#include "reference/chunk_summary/rounding.hpp"
#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::chunk_summary {

/// Rows and columns of a parameter of one layer: a vector is one row.
struct MatrixShape {
    Eigen::Index rows, columns;
};
[[nodiscard]] MatrixShape matrix_shape(const Problem& problem, TensorId id);

/// Parameter `id` of layer `layer` (0 for those that are not per layer).
[[nodiscard]] Eigen::Map<const Matrix> parameter(const Problem& problem, const Bundle<double>& bundle, TensorId id,
                                                 std::int64_t layer);
/// Puts a gradient where the parameter lies.
void set_parameter(const Problem& problem, Bundle<double>& bundle, TensorId id, std::int64_t layer,
                   const Matrix& values);

/// Zeros for every tensor that the problem has.
[[nodiscard]] Bundle<double> zeros(const Problem& problem);

}  // namespace dca::chunk_summary
