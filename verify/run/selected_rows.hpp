// The sampled rows of a tensor that has all of them.
#pragma once

#include <memory>

#include "golden/tensor_reader.hpp"

namespace dca::verify {

/// Passes on the elements of `rows` (sorted, each once) of the axis `row_axis`; its extent becomes their number. All
/// elements are read, from first to last, so that the checksum of the whole is verified.
[[nodiscard]] std::unique_ptr<golden::TensorReader> select_rows(std::unique_ptr<golden::TensorReader> whole,
                                                                std::size_t row_axis,
                                                                std::span<const std::int64_t> rows);

}  // namespace dca::verify
