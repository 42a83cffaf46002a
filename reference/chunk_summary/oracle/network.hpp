// The second truth of chunk-summary attention: output and gradients in any number type, from the definition alone.
#pragma once

#include <vector>

#include "reference/chunk_summary/oracle/definition.hpp"
#include "reference/chunk_summary/oracle/tape.hpp"

namespace dca::chunk_summary::oracle {

/// The same numbers in another type.
template <class S>
[[nodiscard]] Bundle<S> convert(const Bundle<double>& bundle) {
    Bundle<S> result;
    for (std::size_t n = 0; n < tensor_count; ++n) {
        for (const double value : bundle.of[n]) result.of[n].push_back(S(Quad(value)));
    }
    return result;
}

/// The output, row-major. Throws InvalidProblem (validate). For dual numbers the derivatives of the bundle are the
/// direction to differentiate along.
template <class S>
[[nodiscard]] std::vector<S> forward(const Problem& problem, const Bundle<S>& bundle) {
    validate(problem);
    std::vector<S> out;
    const Definition<S> definition(problem, bundle);
    for (std::int64_t sequence = 0; sequence < problem.batch; ++sequence) {
        for (const auto& row : definition.output(sequence)) out.insert(out.end(), row.begin(), row.end());
    }
    return out;
}

/// Gradients of <dout, out>, by recording the forward pass and running it backwards. Memory grows with the number of
/// operations: small problems only.
template <class S>
[[nodiscard]] Bundle<S> backward(const Problem& problem, const Bundle<S>& bundle, const std::vector<S>& dout) {
    Tape<S> tape;
    Bundle<Traced<S>> traced;
    for (std::size_t n = 0; n < tensor_count; ++n) {
        for (const S& value : bundle.of[n]) traced.of[n].emplace_back(value, tape);
    }
    const std::vector<Traced<S>> out = forward(problem, traced);
    std::vector<std::pair<std::int32_t, S>> seeds;
    for (std::size_t n = 0; n < out.size(); ++n) seeds.emplace_back(out[n].node, dout[n]);
    const std::vector<S> all = tape.gradients(seeds);
    Bundle<S> gradients;
    for (std::size_t n = 0; n < tensor_count; ++n) {
        for (const Traced<S>& x : traced.of[n]) gradients.of[n].push_back(all[static_cast<std::size_t>(x.node)]);
    }
    return gradients;
}

extern template std::vector<double> forward(const Problem&, const Bundle<double>&);
extern template std::vector<Quad> forward(const Problem&, const Bundle<Quad>&);
extern template std::vector<Dual<Quad>> forward(const Problem&, const Bundle<Dual<Quad>>&);
extern template Bundle<Quad> backward(const Problem&, const Bundle<Quad>&, const std::vector<Quad>&);

}  // namespace dca::chunk_summary::oracle
