// Strong integer types. The characteristic bug of Dual Chunk Attention is an absolute index where a remapped position
// belongs, or a query index where a key index does: here such a mix-up does not compile.
#pragma once

#include <compare>
#include <cstdint>

namespace dca {

/// An integer of one meaning. Only values of the same meaning compare; arithmetic goes through value() on purpose.
template <class Tag>
class Index {
public:
    constexpr explicit Index(std::int64_t value) : value_(value) {}
    [[nodiscard]] constexpr std::int64_t value() const { return value_; }
    friend constexpr auto operator<=>(Index, Index) = default;

private:
    std::int64_t value_;
};

/// Absolute index i of a query in its sequence, row + query_offset; negative where a row precedes every key.
using QueryIndex = Index<struct QueryTag>;
/// Absolute index j of a key in its sequence, 0-based.
using KeyIndex = Index<struct KeyTag>;
/// Number of the chunk an index falls in: i div L.
using ChunkIndex = Index<struct ChunkTag>;
/// The position RoPE sees after DCA has remapped an index; never larger than chunk_size.
using RotaryPosition = Index<struct PositionTag>;

}  // namespace dca
