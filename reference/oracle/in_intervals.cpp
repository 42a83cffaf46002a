#include "reference/numbers/interval.hpp"
#include "reference/oracle/definition.hpp"

namespace dca::oracle {

template TypedInputs<numbers::Interval<double>> convert(const Inputs&);
template TypedOutputs<numbers::Interval<double>> forward(const Problem&, const TypedInputs<numbers::Interval<double>>&);
template TypedGradients<numbers::Interval<double>> backward(const Problem&,
                                                            const TypedInputs<numbers::Interval<double>>&,
                                                            MergeGradient);

template TypedInputs<numbers::Interval<numbers::Mpfr<256>>> convert(const Inputs&);
template TypedOutputs<numbers::Interval<numbers::Mpfr<256>>> forward(
    const Problem&, const TypedInputs<numbers::Interval<numbers::Mpfr<256>>>&);
template TypedGradients<numbers::Interval<numbers::Mpfr<256>>> backward(
    const Problem&, const TypedInputs<numbers::Interval<numbers::Mpfr<256>>>&, MergeGradient);

}  // namespace dca::oracle
