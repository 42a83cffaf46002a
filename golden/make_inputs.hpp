// Case -> inputs: the same on every machine, for any slice, in any order.
#pragma once

#include "golden/case_spec.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::golden {

/// The tensors that are filled; the numbers are part of the generator and never change.
enum class InputTensor : std::uint32_t { q = 0, k = 1, v = 2, dout = 3 };

/// Approximately normal, mean 0, variance 1, |value| < 4.9: element `element` of the stream (seed, tensor). Uses one
/// Philox block, integer arithmetic and one multiplication; no libm, so the bits are the same everywhere.
[[nodiscard]] double unit_element(std::uint64_t seed, InputTensor tensor, std::uint64_t element);

/// One element (row-major flat index) of an input tensor of the case: unit_element, then the recipe, then the rounding
/// to the case's dtype. Precondition: the problem is valid and the index inside the tensor.
[[nodiscard]] double input_element(const CaseSpec& spec, InputTensor tensor, std::int64_t element);

/// Fills q, k, v (and dout) of a valid case with input_element. Throws InvalidProblem if the problem does not pass
/// validate(), the recipe is not finite or does not fit the shape, or a value leaves the range of the dtype.
[[nodiscard]] Inputs make_inputs(const CaseSpec& spec);

}  // namespace dca::golden
