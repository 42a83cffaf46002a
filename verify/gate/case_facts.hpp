// What a case holds, counted from its sizes alone: how many keys its queries see, and in which mode.
#pragma once

#include <cstdint>

#include "golden/case_spec.hpp"

namespace dca::verify {

struct CaseFacts {
    double intra = 0, succ = 0, inter = 0;  ///< (query, key) pairs of one head of one batch entry, by mode
    std::int64_t longest = 0;               ///< rows of its longest sequence, 1 + the last position of keys or queries
    std::int64_t rows_without_keys = 0;     ///< of one head
    std::int64_t mixed_rows = 0;            ///< rows of one head with keys of two or three modes
    bool clamped = false;                   ///< some succ position is cut to chunk_size
    bool gradient = false;
    [[nodiscard]] double pairs() const { return intra + succ + inter; }
};

/// Precondition: the case is valid and not of the chunk-summary algorithm.
[[nodiscard]] CaseFacts facts_of(const golden::CaseSpec& spec);

}  // namespace dca::verify
