// Where an offset into a tensor no longer fits an integer type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reference/spec/problem.hpp"

namespace dca::verify {

/// If some tensor (q, k, v or out; batch, row, head, dim or batch, head, row, dim) has an offset, counted in elements
/// or in bytes of 2, 4 or 8, that leaves int16, uint16, int32 or uint32 just at this row: which, as a clause. The first
/// row that is touched and the first that lies beyond count, for the head where all rows before it are inside.
[[nodiscard]] std::optional<std::string> offset_wrap_at(const Problem& problem, std::int64_t row);

}  // namespace dca::verify
