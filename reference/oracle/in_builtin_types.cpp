#include "reference/oracle/definition.hpp"

namespace dca::oracle {

template TypedInputs<double> convert(const Inputs&);
template TypedOutputs<double> forward(const Problem&, const TypedInputs<double>&);
template TypedGradients<double> backward(const Problem&, const TypedInputs<double>&, MergeGradient);

template TypedInputs<long double> convert(const Inputs&);
template TypedOutputs<long double> forward(const Problem&, const TypedInputs<long double>&);
template TypedGradients<long double> backward(const Problem&, const TypedInputs<long double>&, MergeGradient);

template TypedInputs<Quad> convert(const Inputs&);
template TypedOutputs<Quad> forward(const Problem&, const TypedInputs<Quad>&);
template TypedGradients<Quad> backward(const Problem&, const TypedInputs<Quad>&, MergeGradient);

}  // namespace dca::oracle
