#include "reference/numbers/mpfr.hpp"
#include "reference/oracle/definition.hpp"

namespace dca::oracle {

template TypedInputs<numbers::Mpfr<256>> convert(const Inputs&);
template TypedOutputs<numbers::Mpfr<256>> forward(const Problem&, const TypedInputs<numbers::Mpfr<256>>&);
template TypedGradients<numbers::Mpfr<256>> backward(const Problem&, const TypedInputs<numbers::Mpfr<256>>&,
                                                     MergeGradient);

template TypedInputs<numbers::Mpfr<512>> convert(const Inputs&);
template TypedOutputs<numbers::Mpfr<512>> forward(const Problem&, const TypedInputs<numbers::Mpfr<512>>&);
template TypedGradients<numbers::Mpfr<512>> backward(const Problem&, const TypedInputs<numbers::Mpfr<512>>&,
                                                     MergeGradient);

}  // namespace dca::oracle
