// Case -> inputs: the same on every machine, for any slice, in any order.
#pragma once

#include <span>
#include <vector>

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

/// Makes the inputs of one case, any part of them in any order and from any thread; the same bits as make_inputs.
class InputSource {
public:
    /// Throws InvalidProblem if the problem does not pass validate() or the recipe is not finite.
    explicit InputSource(CaseSpec spec);

    [[nodiscard]] const CaseSpec& spec() const { return spec_; }
    /// (batch, rows, heads, dim) of the tensor.
    [[nodiscard]] Extents<4> extents(InputTensor tensor) const;
    /// Rows [begin, end) of one batch entry, all heads, as they lie in the tensor: (end - begin) x heads x dim values.
    /// Throws InvalidProblem where a value leaves the range of the dtype.
    void fill_rows(InputTensor tensor, std::int64_t batch, std::int64_t begin, std::int64_t end,
                   std::span<double> out) const;
    /// The same rows of one head alone: (end - begin) x dim values.
    void fill_head(InputTensor tensor, std::int64_t batch, std::int64_t head, std::int64_t begin, std::int64_t end,
                   std::span<double> out) const;
    /// Largest magnitude among up to 2^20 elements in evenly spaced rows: all of them where there are no more.
    [[nodiscard]] double typical_largest(InputTensor tensor) const;

private:
    void fill(InputTensor tensor, std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t columns,
              std::span<double> out) const;

    CaseSpec spec_;
    std::vector<std::int64_t> sampled_;  ///< rows where dout is not 0; empty: all
};

/// Fills q, k, v (and dout) of a valid case with input_element. Throws InvalidProblem if the problem does not pass
/// validate(), the recipe is not finite or does not fit the shape, or a value leaves the range of the dtype.
[[nodiscard]] Inputs make_inputs(const CaseSpec& spec);

}  // namespace dca::golden
