// What a sparse prefill attends to, as text: counts per head and mode, and the attended matrix of small cases.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>

#include "reference/sparse/plan.hpp"

namespace dca::cli {

/// Longest sequence that is drawn.
inline constexpr std::int64_t max_picture_keys = 64;

/// The settings, a table of pairs attended and visible per head and mode with the empty rows of each head, and how many
/// selections a kernel of the problem's dtype may make otherwise. plans: sparse::plans() of the problem and config.
void write_sparse_counts(std::ostream& out, const std::string& case_id, const Problem& problem,
                         const sparse::SparseConfig& config, std::span<const sparse::SegmentPlan> plans);

/// One picture for every head of every sequence with at most max_picture_keys keys: a line per query, a character per
/// key.
void write_sparse_pictures(std::ostream& out, const Problem& problem, const sparse::SparseConfig& config,
                           std::span<const sparse::SegmentPlan> plans);

}  // namespace dca::cli
