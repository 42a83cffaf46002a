// Random sparse problems, small enough for the brute force, with small tiles so that many of them fit.
#pragma once

#include <cstdint>

#include "reference/sparse/config.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::sparse_test {

struct SparseCase {
    Problem problem;
    Inputs inputs;
    sparse::SparseConfig config;
};

/// A valid case in which every query has a key of its own: stride 1 to longer than the sequence, batches, packed
/// sequences, chunked prefill, rows before every key, grouped heads with sizes of their own, both rules. Problems come
/// from test::random_problem. The published code may fail on it.
[[nodiscard]] SparseCase random_sparse_case(std::uint64_t seed);

/// One sequence of n tokens with stride `chunk_len` and local_size 4, config with sizes V and S and published
/// constants.
[[nodiscard]] SparseCase plain_sparse_case(std::int64_t n, std::int64_t chunk_len, std::int64_t vertical,
                                           std::int64_t slash, std::uint64_t seed, std::int64_t heads_q = 1);

}  // namespace dca::sparse_test
