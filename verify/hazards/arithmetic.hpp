// Small calculations that show hazards of code without a dialect. They follow the published formulas, not this
// project's attention.
#pragma once

#include <cstdint>

namespace dca::hazards {

/// How a merge of two parts is written (H31).
enum class MergeForm : std::uint8_t {
    max_subtracting,  ///< exp(lse - max) / sum
    log1p,            ///< lse = max + log1p(exp(min - max)), weights exp(lse_m - lse)
    sigmoid           ///< weight of the first part 1 / (1 + exp(lse_2 - lse_1))
};
/// Merges a part (out 1, lse 0) with an empty one (out 0) that reports this lse.
[[nodiscard]] double merged_with_empty(MergeForm form, double empty_lse);

/// Largest error, over the pairs and the last 1000 positions, of an angle position * base^(-2k/rotary_dim) that is
/// formed in float32 (H13).
[[nodiscard]] double float32_angle_error(std::int64_t last_position, double base, std::int64_t rotary_dim);
/// Largest rounding error of a cosine stored in bf16, over the angles 0, 0.001, .. 2 pi (H13).
[[nodiscard]] double bf16_cosine_error();

/// Relative position of query i and key j in a tool that takes positions mod L but chunks of C tokens (H8).
[[nodiscard]] std::int64_t mixed_stride_relative(std::int64_t chunk_size, std::int64_t local_size, std::int64_t i,
                                                 std::int64_t j);
/// Position a query of the MLX resident has for every earlier chunk during decode: i mod C + C (H8).
[[nodiscard]] std::int64_t unclamped_decode_position(std::int64_t chunk_size, std::int64_t i);

/// P_inter as read from column L - 1 of the position ids, where `padding` columns stand left of the text (H37).
[[nodiscard]] std::int64_t padded_inter_position(std::int64_t chunk_size, std::int64_t local_size,
                                                 std::int64_t padding);

/// How many of rows x heads values are read from another place where memory ordered (heads, rows) is taken as
/// (rows, heads) (H32).
[[nodiscard]] std::int64_t misplaced_lse(std::int64_t heads, std::int64_t rows);

}  // namespace dca::hazards
