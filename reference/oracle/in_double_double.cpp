#include "reference/numbers/double_double.hpp"
#include "reference/oracle/definition.hpp"

namespace dca::oracle {

template TypedInputs<numbers::DoubleDouble> convert(const Inputs&);
template TypedOutputs<numbers::DoubleDouble> forward(const Problem&, const TypedInputs<numbers::DoubleDouble>&);
template TypedGradients<numbers::DoubleDouble> backward(const Problem&, const TypedInputs<numbers::DoubleDouble>&,
                                                        MergeGradient);

}  // namespace dca::oracle
