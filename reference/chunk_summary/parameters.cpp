#include "reference/chunk_summary/parameters.hpp"

#include "reference/spec/error.hpp"

namespace dca::chunk_summary {

MatrixShape matrix_shape(const Problem& problem, TensorId id) {
    Sizes sizes = extents(problem, id);
    if (problem.scope == Scope::model && per_layer(id)) sizes.erase(sizes.begin());
    const std::int64_t columns = sizes.back();
    return {element_count(sizes) / columns, columns};
}

Eigen::Map<const Matrix> parameter(const Problem& problem, const Bundle<double>& bundle, TensorId id,
                                   std::int64_t layer) {
    const MatrixShape shape = matrix_shape(problem, id);
    const Eigen::Index first = layer * shape.rows * shape.columns;
    expects(static_cast<Eigen::Index>(bundle[id].size()) >= first + shape.rows * shape.columns,
            "parameter: the bundle has no such tensor");
    return {bundle[id].data() + first, shape.rows, shape.columns};
}

void set_parameter(const Problem& problem, Bundle<double>& bundle, TensorId id, std::int64_t layer,
                   const Matrix& values) {
    const MatrixShape shape = matrix_shape(problem, id);
    expects(values.size() == shape.rows * shape.columns, "set_parameter: wrong size");
    std::copy(values.data(), values.data() + values.size(),
              bundle[id].begin() + static_cast<std::ptrdiff_t>(layer * values.size()));
}

Bundle<double> zeros(const Problem& problem) {
    Bundle<double> bundle;
    for (const TensorId id : all_tensors) {
        if (has(problem, id)) bundle[id].resize(static_cast<std::size_t>(element_count(extents(problem, id))));
    }
    return bundle;
}

}  // namespace dca::chunk_summary
