// How far a kernel's votes may be from the exact ones: what decides whether its picks can be predicted (V.10).
#pragma once

#include <cstdint>
#include <span>

#include "reference/sparse/rows.hpp"
#include "reference/sparse/segments.hpp"

namespace dca::sparse {

/// Bound of |ln (computed vote / exact vote)|, to first order, for every vertical and slash of a head in a segment, if
/// the kernel works in the problem's dtype as the error model assumes (docs/error_model.md section 2). keys: as in
/// votes().
[[nodiscard]] double vote_error_bound(const SequenceRows& rows, const Segment& segment, std::int64_t head,
                                      std::int64_t last_q, std::span<const double> keys);

}  // namespace dca::sparse
