// Keys and values as they pass by: slices of consecutive keys that all threads read, cut into units of one chunk, which
// are what one thread works on at a time.
#pragma once

#include <vector>

#include "reference/operands.hpp"
#include "reference/sampled/sampled.hpp"

namespace dca::reference::sampled {

/// Keys [begin, end) of one sequence, all in one chunk; at most unit_keys.
struct Unit {
    std::int64_t begin, end;
    [[nodiscard]] int keys() const { return static_cast<int>(end - begin); }
};
inline constexpr std::int64_t unit_keys = 4 * key_tile_columns;

/// Consecutive units whose keys are in memory together.
struct Slice {
    std::vector<Unit> units;
    [[nodiscard]] std::int64_t begin() const { return units.front().begin; }
    [[nodiscard]] std::int64_t end() const { return units.back().end; }
};

/// All keys of one batch entry. row_doubles: what one unit keeps for the sampled rows. Units are a function of the
/// problem alone, so that sums are formed in the same order everywhere.
[[nodiscard]] std::vector<Slice> slices(const Problem& problem, std::int64_t row_doubles, const Memory& memory);

/// Fills k and v of `inputs` with the keys of the slice, (1, keys, heads_kv, dim).
void load(const Slice& slice, const Source& source, std::int64_t batch, const Shape& shape, Inputs& inputs);

}  // namespace dca::reference::sampled
