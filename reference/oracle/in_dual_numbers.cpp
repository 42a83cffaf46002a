#include "reference/oracle/definition.hpp"

namespace dca::oracle {

template TypedInputs<Dual<long double>> convert(const Inputs&);
template TypedOutputs<Dual<long double>> forward(const Problem&, const TypedInputs<Dual<long double>>&);
template TypedGradients<Dual<long double>> backward(const Problem&, const TypedInputs<Dual<long double>>&,
                                                    MergeGradient);

template TypedInputs<Dual<Quad>> convert(const Inputs&);
template TypedOutputs<Dual<Quad>> forward(const Problem&, const TypedInputs<Dual<Quad>>&);
template TypedGradients<Dual<Quad>> backward(const Problem&, const TypedInputs<Dual<Quad>>&, MergeGradient);

}  // namespace dca::oracle
