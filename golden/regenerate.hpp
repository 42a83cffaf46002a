// Inputs of a case read from a file that does not store them.
#pragma once

#include "golden/store.hpp"

namespace dca::golden {

/// Whether the inputs of the case are few enough to be made whole.
[[nodiscard]] bool inputs_fit(const CaseData& data);

/// An input (q, k, v, dout) of the case that makes them; null for a dout it does not have. Made piece by piece.
[[nodiscard]] std::unique_ptr<TensorReader> made_input(const CaseSpec& spec, std::string_view tensor);

/// Makes the inputs of a case that does not store them; afterwards it is like one that does. Nothing to do for others.
/// Throws Unsupported where they do not fit.
void load_inputs(CaseData& data);

}  // namespace dca::golden
