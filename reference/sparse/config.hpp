// What a vertical-slash sparse prefill is asked to do: sizes per query head, constants of the published code, and the
// rules in which its versions differ. Nouns only (docs/sparse_prefill.md).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::sparse {

/// What replaces a list of verticals or slashes that is empty in one mode (V.6, H55).
enum class Fallback : std::uint8_t {
    fifths,    ///< 0, s, 2s, ... with s = trunc(max(1, k / 5)), ceil(k / max(1, k / 5)) of them
    head_size  ///< 0, s, 2s, ... below k with s = ceil(k / count), at most count = min(size of the head, k) of them
};

/// In what the versions of the published code differ.
struct Rules {
    Fallback fallback = Fallback::fifths;
    bool intra_slash_fallback = false;  ///< an empty list of intra slashes is replaced too
    bool persistent_clamp = true;       ///< a head keeps the sizes that a short first segment cut (H53)
    friend bool operator==(const Rules&, const Rules&) = default;
};

/// vLLM (every version with the backend) and SGLang up to its commit c3920fee.
inline constexpr Rules vllm_rules{};
/// SGLang after that, as its own test reference states it.
inline constexpr Rules sglang_later_rules{Fallback::head_size, true, false};

/// Sizes and constants. The defaults are those of the published code; other values make its tiles visible in small
/// problems.
struct SparseConfig {
    std::vector<std::int64_t> vertical_size;  ///< V: one, or one per query head; >= 1; exactly 30 means 130 (V.2)
    std::vector<std::int64_t> slash_size;     ///< S: one, or one per query head; >= 1
    std::int64_t last_q = 64;                 ///< rows that vote in the selection
    std::int64_t block = 64;                  ///< rows of a tile and keys of a block
    std::int64_t forced_verticals = 30;       ///< keys 0 .. 29 are chosen before all others
    std::int64_t forced_slashes = 100;        ///< so are the 100 last diagonals
    /// Sequences whose prompt is not longer are computed densely (V.1; 32768 in the published code).
    std::int64_t threshold = 0;
    /// Length of the final prompt: none (the keys up to the last query), one, or one per sequence that is not empty.
    std::vector<std::int64_t> prompt_length;
    Rules rules = vllm_rules;
    friend bool operator==(const SparseConfig&, const SparseConfig&) = default;
};

/// Throws InvalidProblem, naming the field, unless the sizes fit the problem.
void validate(const Problem& problem, const SparseConfig& config);

/// What the dialect_sparse_* facts of a problem ask for, the rest as published; prompt_length is dialect_prompt_length.
/// Precondition: the sizes are given (Problem::sparse_prefill).
[[nodiscard]] SparseConfig config_of(const Problem& problem);

}  // namespace dca::sparse
