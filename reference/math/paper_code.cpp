#include "reference/math/paper_code.hpp"

#include <algorithm>

#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

std::string text(std::int64_t value) {
    return std::to_string(value);
}

/// `why` follows "query Q is at position P for the keys of .., ".
NoCodeSettings none(std::int64_t query, std::int64_t position, const char* keys, const std::string& why) {
    return {QueryIndex(query), RotaryPosition(position),
            "query " + text(query) + " is at position " + text(position) + " for the keys of " + keys + ", " + why};
}

constexpr const char* chunk_before = "the chunk before";

}  // namespace

PaperSettings to_paper(const ChunkConfig& code) {
    expects(0 <= code.local_size && code.local_size < code.chunk_size, "to_paper: impossible chunk settings");
    const std::int64_t stride = code.chunk_len();
    // i mod L + L never passes 2L - 1, so a larger C clamps nothing: C acts as K.
    const std::int64_t largest = std::min(code.chunk_size, 2 * stride - 1);
    return {stride, largest + 1 - stride, largest + 1};
}

std::variant<ChunkConfig, NoCodeSettings> to_code(const PaperSettings& paper) {
    const auto& [s, w, c] = paper;
    if (s < 1 || w < 0 || c < s || c > max_position + 1) {
        throw InvalidProblem("paper settings s = " + text(s) + ", w_p = " + text(w) + ", c = " + text(c) +
                             ": needs s >= 1, w_p >= 0 and s <= c <= 2^31 + 1");
    }
    // The positions of code with stride s are min(s + r, K) and K with s <= K <= 2s - 1. The paper's first positions
    // s + r, r < w, agree with every K from s + w - 1 on; row r = w, or key 0 of query 2s, then fixes K = c - 1.
    if (w >= s) {
        if (c - 1 == 2 * s - 1) return ChunkConfig{c - 1, c - 1 - s};
        return none(2 * s, c - 1, "earlier chunks",
                    "and in code at " + text(2 * s - 1) + ", as its positions for the chunk before rise up to that");
    }
    if (c - 1 > s + w) {
        const std::string from = w > 0 ? ", one more than the query before" : ", the stride";
        return none(s + w, c - 1, chunk_before, "and in code at most at " + text(s + w) + from);
    }
    const std::int64_t least = std::max(s, s + w - 1);
    if (c - 1 < least) {
        const std::string from = w > 1 ? ", where the query before it is" : ", the stride";
        return none(s + w, c - 1, chunk_before, "and in code at least at " + text(least) + from);
    }
    return ChunkConfig{c - 1, c - 1 - s};
}

}  // namespace dca::reference
