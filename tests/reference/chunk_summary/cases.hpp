// Small chunk-summary problems and random inputs for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::test {

/// hidden = heads * head_dim; embed = hidden.
[[nodiscard]] chunk_summary::Problem chunk_problem(chunk_summary::Scope scope, std::int64_t seq_len,
                                                   std::int64_t chunk_size, std::int64_t heads = 2,
                                                   std::int64_t head_dim = 3);

/// Awkward sizes of every scope: one token, one chunk, chunks of one, one head, one channel, input projection, several
/// layers, every pooling.
[[nodiscard]] std::vector<chunk_summary::Problem> chunk_problems();

/// Every tensor unit normal; weights divided by the root of their inputs, norm scales around 1. Queries and keys of the
/// projection times `logit_scale`.
[[nodiscard]] chunk_summary::Inputs chunk_inputs(const chunk_summary::Problem& problem, std::uint64_t seed,
                                                 double logit_scale = 1);

/// x = rows, q = k = v = x, output projection the identity, biases and gamma 0, one head of `dim` channels.
[[nodiscard]] chunk_summary::Inputs identity_inputs(const std::vector<double>& x, std::int64_t dim);

[[nodiscard]] std::string describe(const chunk_summary::Problem& problem);

/// Relative L2 difference of a bundle's tensor from another, in long double.
template <class S>
[[nodiscard]] double relative_difference(const std::vector<double>& got, const std::vector<S>& exact) {
    if (got.size() != exact.size()) return 1;
    long double error = 0, norm = 0;
    for (std::size_t n = 0; n < got.size(); ++n) {
        const auto x = static_cast<long double>(exact[n]);
        error += (got[n] - x) * (got[n] - x);
        norm += x * x;
    }
    return static_cast<double>(norm == 0 ? error : __builtin_sqrtl(error / norm));
}

}  // namespace dca::test
