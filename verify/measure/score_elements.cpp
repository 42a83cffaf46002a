#include "verify/measure/score_elements.hpp"

#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"

namespace dca::measure {

std::int64_t chunk_count(std::int64_t n, std::int64_t chunk_len) {
    return n == 0 ? 0 : (n - 1) / chunk_len + 1;
}

ScoreElements score_elements(std::int64_t n, std::int64_t chunk_len) {
    expects(n >= 0 && n <= max_position && chunk_len >= 1 && chunk_len <= max_position, "sizes within the limits");
    const std::int64_t chunks = chunk_count(n, chunk_len);
    if (chunks <= 1) return {n * (n + 1) / 2, 0, 0};
    // All chunks are full but the last, which has `rest` tokens. Products stay below n^2 <= 2^62.
    const std::int64_t rest = n - (chunks - 1) * chunk_len, square = chunk_len * chunk_len;
    return {(chunks - 1) * (chunk_len * (chunk_len + 1) / 2) + rest * (rest + 1) / 2,
            (chunks - 2) * square + rest * chunk_len,
            (chunks - 2) * (chunks - 3) / 2 * square + rest * chunk_len * (chunks - 2)};
}

}  // namespace dca::measure
