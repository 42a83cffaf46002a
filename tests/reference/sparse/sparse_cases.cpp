#include "tests/reference/sparse/sparse_cases.hpp"

#include <random>

#include "tests/support/random_problem.hpp"

namespace dca::sparse_test {

SparseCase random_sparse_case(std::uint64_t seed) {
    std::mt19937_64 engine(seed * 0x9e3779b97f4a7c15u + 17);
    const auto between = [&](std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
    };
    Problem problem = test::random_problem(seed);
    const std::int64_t largest_offset = problem.shape.seq_k - problem.shape.seq_q;
    if (!problem.packed() && problem.resolved_query_offset() > largest_offset) problem.query_offset = largest_offset;
    sparse::SparseConfig config;
    const std::int64_t sizes = between(0, 1) ? problem.shape.heads_q : 1;
    for (std::int64_t h = 0; h < sizes; ++h) {
        config.vertical_size.push_back(between(1, between(0, 1) ? 10 : 70));
        config.slash_size.push_back(between(1, between(0, 1) ? 10 : 70));
    }
    config.last_q = between(1, 12);
    config.block = between(1, 9);
    config.forced_verticals = between(0, 5);
    config.forced_slashes = between(0, 8);
    if (between(0, 4) == 0) config.threshold = between(1, 40);
    if (config.threshold > 0 && between(0, 1)) config.prompt_length = {between(1, 60)};
    if (between(0, 1)) config.rules = sparse::sglang_later_rules;
    // Logits of a few units: votes that differ clearly, and rows that are not all on one key.
    return {problem, test::random_inputs(problem, seed, 1.5), config};
}

SparseCase plain_sparse_case(std::int64_t n, std::int64_t chunk_len, std::int64_t vertical, std::int64_t slash,
                             std::uint64_t seed, std::int64_t heads_q) {
    const Problem problem = test::plain_problem(n, {chunk_len + 4, 4}, heads_q, 1);
    sparse::SparseConfig config;
    config.vertical_size = {vertical};
    config.slash_size = {slash};
    return {problem, test::random_inputs(problem, seed), config};
}

}  // namespace dca::sparse_test
