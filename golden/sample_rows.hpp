// Which query rows of a sampled case are computed and judged.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::golden {

/// The sampled rows of the query axis, the same for all heads and batch entries: sorted, each once, exactly
/// min(sample, seq_q) of them. A function of shape, chunk setting, query offset and seed alone; docs/sampled.md lists
/// the rules, in the order in which they are granted rows:
///   the first two and the last two rows, and where the ragged tail of tiles of 64, 128, 192 and 256 rows begins;
///   the rows at and beside which an offset into a (batch, token, head, dim) tensor of q, out, k or v passes 2^31 or
///   2^32, in elements and in bytes of elements of 2, 4 and 8;
///   the two rows on either side of chunk borders, first and last border first, up to a third of the sample in all;
///   the row at a multiple of 64, 128, 192 or 256 and its neighbours, up to another third;
///   rows drawn evenly.
/// Empty where the case is not sampled. Precondition: the problem is valid and not packed.
[[nodiscard]] std::vector<std::int64_t> sample_rows(const CaseSpec& spec);

/// How many there are: 0 where the case is not sampled.
[[nodiscard]] std::int64_t sample_count(const CaseSpec& spec);

}  // namespace dca::golden
