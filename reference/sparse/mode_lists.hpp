// The picks of a segment as its three attention calls see them: per mode, counted from the first key of the mode (V.6).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sparse/selection.hpp"

namespace dca::sparse {

/// Verticals and slashes of one mode. Keys are local: key 0 is the absolute key key_begin. Slash s is the diagonal on
/// which row m of the segment meets local key base() + m - s.
struct ModeLists {
    Mode mode;
    std::int64_t key_begin, key_count;
    std::int64_t rows;
    std::vector<std::int64_t> vertical;  ///< ascending
    std::vector<std::int64_t> slash;     ///< descending
    /// The local key that slash 0 meets at row 0: key_count - rows in intra, key_count in succ and inter.
    [[nodiscard]] std::int64_t base() const { return mode == Mode::intra ? key_count - rows : key_count; }
    friend bool operator==(const ModeLists&, const ModeLists&) = default;
};

/// What stands in for an empty list over key_count keys. size: of the head, for Fallback::head_size.
[[nodiscard]] std::vector<std::int64_t> fallback_list(Fallback rule, std::int64_t key_count, std::int64_t size);

/// The lists of every mode that has keys, in the order inter, succ, intra. Throws Unsupported where the published code
/// fails: no slash within the chunk (H54), a fallback longer than its table (H55).
[[nodiscard]] std::vector<ModeLists> mode_lists(const ChunkConfig& chunk, const Segment& segment, const Picks& picks,
                                                const Rules& rules, const HeadSizes& sizes, const HeadSizes& capacity);

}  // namespace dca::sparse
