// A second implementation of docs/sparse_prefill.md for tests: long double, sets of absolute keys, one softmax over all
// attended keys instead of three and a merge. Calls nothing of reference/sparse but its nouns.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

#include "reference/sparse/config.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::sparse_test {

/// The published code would fail on this case.
struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One query head in one segment.
struct BruteSegment {
    std::int64_t sequence, head, first_index;
    std::int64_t vertical_size, slash_size;
    std::set<std::int64_t> vertical, slash;                 ///< absolute keys
    std::vector<std::vector<std::set<std::int64_t>>> keys;  ///< [row of the segment][mode]: absolute keys attended
};

struct BruteResult {
    std::vector<BruteSegment> segments;  ///< by sequence, head, segment
    Outputs outputs;
};

/// Which positions the votes use.
enum class VotePositions { unclamped, clamped };

/// What multiplies every logit of a sequence with so many keys: the length temperature, which is the caller's business.
using LogitFactor = std::function<long double(std::int64_t keys)>;

/// Exact angles, one softmax: the dialect `exact`, and any other where nothing is rotated. Throws Refused.
[[nodiscard]] BruteResult brute_force(const Problem& problem, const Inputs& inputs, const sparse::SparseConfig& config,
                                      VotePositions positions = VotePositions::unclamped,
                                      const LogitFactor& temperature = {});

}  // namespace dca::sparse_test
