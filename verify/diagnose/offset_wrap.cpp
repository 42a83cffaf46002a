#include "verify/diagnose/offset_wrap.hpp"

#include <array>
#include <string_view>

namespace dca::verify {
namespace {

struct Limit {
    std::string_view type;
    int bits;
};
constexpr std::array limits{Limit{"int16", 15}, Limit{"uint16", 16}, Limit{"int32", 31}, Limit{"uint32", 32}};

struct Layout {
    std::string_view tensor;
    std::int64_t rows, heads, dim;
};

/// Whether some offset of `row` is at or beyond the limit and none of the row before: rows are `stride` units apart,
/// one is `width` long.
bool crosses(std::int64_t row, std::int64_t stride, std::int64_t width, std::int64_t limit) {
    const bool touched = row * stride + width > limit && (row - 1) * stride + width <= limit;
    const bool beyond = row * stride >= limit && (row - 1) * stride < limit;
    return touched || beyond;
}

}  // namespace

std::optional<std::string> offset_wrap_at(const Problem& problem, std::int64_t row) {
    if (row <= 0) return std::nullopt;
    const Shape& s = problem.shape;
    const std::array layouts{Layout{"q", s.seq_q, s.heads_q, s.head_dim}, Layout{"k", s.seq_k, s.heads_kv, s.head_dim},
                             Layout{"v", s.seq_k, s.heads_kv, s.head_dim_v},
                             Layout{"out", s.seq_q, s.heads_q, s.head_dim_v}};
    for (const std::int64_t unit : {1, 2, 4, 8}) {
        for (const Limit& limit : limits) {
            for (const Layout& one : layouts) {
                const std::int64_t dim = one.dim * unit, wide = std::int64_t{1} << limit.bits;
                const bool token_head = crosses(row, one.heads * dim, one.heads * dim, wide);
                // Within the first head; later heads wrap earlier, each at a row of its own.
                const bool head_token = one.heads > 1 && crosses(row, dim, dim, wide);
                if (!token_head && !head_token) continue;
                return std::string(unit == 1 ? "element" : "byte") + " offsets into " + std::string(one.tensor) +
                       (token_head ? " (batch, row, head, dim)" : " (batch, head, row, dim)") +
                       (unit == 1 ? "" : " of " + std::to_string(unit) + "-byte elements") + " leave " +
                       std::string(limit.type) + " there";
            }
        }
    }
    return std::nullopt;
}

}  // namespace dca::verify
