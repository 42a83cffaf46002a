// The elements of a dataset, a piece at a time.
#pragma once

#include "golden/h5_dataset.hpp"
#include "golden/tensor_reader.hpp"

namespace dca::golden::h5 {

/// Contiguous little-endian elements are read in any order; others in order (DatasetCursor). The crc32 attribute, if
/// there is one, is verified with the last piece. The dataset's File outlives the reader, the dataset need not.
/// Throws FormatError. Precondition: its type() is not an integer type.
[[nodiscard]] std::unique_ptr<TensorReader> open_reader(const Dataset& dataset);

}  // namespace dca::golden::h5
