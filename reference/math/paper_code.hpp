// The dictionary between the settings of the paper (arXiv 2402.17463) and those of the public code: which of one give
// the same positions as which of the other (docs/definition.md, "Paper and code").
#pragma once

#include <string>
#include <variant>

#include "reference/spec/index.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// The paper's symbols. With r = i mod s its positions are P_k = P_intra = r, P_succ = s + r where r < w_p and c - 1
/// elsewhere, P_inter = c - 1.
struct PaperSettings {
    std::int64_t stride = 1;  ///< s, the stride of the chunks
    std::int64_t window = 0;  ///< w_p
    std::int64_t length = 1;  ///< c, the length the model was trained on: one more than the largest position
    friend bool operator==(const PaperSettings&, const PaperSettings&) = default;
};

/// Why no code settings give the paper's positions. No setting agrees on all of rows 0 .. query; at the pair (query,
/// key 0) the paper is at `position`.
struct NoCodeSettings {
    QueryIndex query;
    RotaryPosition position;
    std::string reason;  ///< one clause that names query and positions
};

/// Paper settings with the positions and modes of these code settings; there always are some. With K = min(C, 2L - 1)
/// they are s = L, c = K + 1, w_p = c - s (the window c - 1 - s gives the same positions).
/// Precondition: 0 <= local_size < chunk_size.
[[nodiscard]] PaperSettings to_paper(const ChunkConfig& code);

/// Code settings with the positions and modes of these paper settings: C = c - 1, w = c - 1 - s, where
/// s < c <= 2s, c - 1 - s <= w_p and min(w_p, s) <= c - s; else the reason why no code settings do.
/// Throws InvalidProblem where s < 1, w_p < 0 or c < s.
[[nodiscard]] std::variant<ChunkConfig, NoCodeSettings> to_code(const PaperSettings& paper);

}  // namespace dca::reference
