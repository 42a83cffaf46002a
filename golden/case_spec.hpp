// A case: a problem, how its inputs are filled, and what is expected of it. A plain value; its one-line text form
// (case_text.hpp) describes it completely.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/chunk_summary_case.hpp"
#include "reference/spec/problem.hpp"

namespace dca::golden {

/// What the case must do: be computed, or be refused by validate() with a message.
enum class Expectation : std::uint8_t { valid, must_reject };

/// How q, k, v, dout are filled. All values come from the counter-based generator and are rounded to the case's dtype.
struct InputRecipe {
    std::uint64_t seed = 0;
    double qk_scale = 1.0;    ///< multiplies q and k: 3 makes peaked logits
    double v_offset = 0.0;    ///< added to v per chunk, alternating in sign: chunks with different means
    bool constant_v = false;  ///< v is the same for every key
    bool linear_v = false;    ///< batch of 3: q, k, dout alike, v of the third entry the exact sum of the others
    bool gradient = true;     ///< make dout
    bool probe = false;       ///< q depends on head and channel only, and so does k (docs/probe.md)
    /// Not 0: results are wanted for so many query rows (sample_rows.hpp) alone, and dout is 0 on all others.
    std::int64_t sample = 0;
    friend bool operator==(const InputRecipe&, const InputRecipe&) = default;
};

struct CaseSpec {
    std::string id;
    Problem problem;
    InputRecipe recipe;
    Expectation expectation = Expectation::valid;
    std::optional<ChunkSummarySpec> chunk_summary;  ///< set: algorithm=chunk_summary; problem and recipe are not meant
    friend bool operator==(const CaseSpec&, const CaseSpec&) = default;
};

}  // namespace dca::golden
