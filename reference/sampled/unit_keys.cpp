#include "reference/sampled/unit_keys.hpp"

#include <algorithm>

namespace dca::reference::sampled {

UnitKeys::UnitKeys(const SequenceContext& context, std::int64_t kv_head, const Unit& unit, bool gradient)
    : dim_(context.head_dim),
      dim_v_(context.head_dim_v),
      padded_dim_(context.padded_dim),
      padded_dim_v_(context.padded_dim_v),
      begin_(unit.begin) {
    const tiles::Kernels& kernels = tiles::best();
    const int keys = unit.keys();
    const auto padded = static_cast<std::size_t>(round_up(keys, tiles::column_alignment));
    for (std::int64_t first = unit.begin; first < unit.end; first += key_tile_columns) {
        const int in_tile = static_cast<int>(std::min<std::int64_t>(key_tile_columns, unit.end - first));
        tiles_.push_back({first, in_tile, static_cast<int>(round_up(in_tile, tiles::column_alignment))});
    }
    std::vector<double> rotated(static_cast<std::size_t>(keys * dim_)), angles(context.rotations.angles_size());
    for (int j = 0; j < keys; ++j) {
        const KeyIndex key(unit.begin + j);
        context.rotations.key_angles(key, angles.data());
        context.rotations.rotate_key(angles.data(), key, context.k_row(key.value(), kv_head),
                                     &rotated[static_cast<std::size_t>(j * dim_)]);
    }
    const double* values = context.v_row(unit.begin, kv_head);
    const std::ptrdiff_t stride = context.inputs.v.view().stride(1);
    const auto scores_operand = [&](AlignedBuffer& to, const double* from, std::ptrdiff_t ld, int dim) {
        to = AlignedBuffer(padded * static_cast<std::size_t>(dim));
        kernels.pack_right(true, keys, dim, from, ld, to.data(),
                           static_cast<std::ptrdiff_t>(dim) * kernels.right_panel);
    };
    const auto values_operand = [&](AlignedBuffer& to, const double* from, std::ptrdiff_t ld, int dim, int padded_dim) {
        to = AlignedBuffer(static_cast<std::size_t>(keys) * static_cast<std::size_t>(padded_dim));
        for (const Tile& tile : tiles_) {
            kernels.pack_right(false, dim, tile.keys, from + offset(tile) * ld, ld,
                               to.data() + offset(tile) * padded_dim,
                               static_cast<std::ptrdiff_t>(tile.keys) * kernels.right_panel);
        }
    };
    scores_operand(k_scores_, rotated.data(), dim_, dim_);
    if (!gradient) {
        values_operand(v_values_, values, stride, dim_v_, padded_dim_v_);
        return;
    }
    scores_operand(v_scores_, values, stride, dim_v_);
    values_operand(k_values_, rotated.data(), dim_, dim_, padded_dim_);
}

void UnitKeys::times_keys(const Tile& tile, int rows, const double* left, double* target) const {
    const tiles::Kernels& kernels = tiles::best();
    kernels.multiply_packed(rows, tile.columns, dim_, left, k_scores_.data() + offset(tile) * dim_,
                            static_cast<std::ptrdiff_t>(dim_) * kernels.right_panel, target, key_tile_columns, false);
}

void UnitKeys::times_values(const Tile& tile, int rows, const double* left, double* target) const {
    const tiles::Kernels& kernels = tiles::best();
    kernels.multiply_packed(rows, tile.columns, dim_v_, left, v_scores_.data() + offset(tile) * dim_v_,
                            static_cast<std::ptrdiff_t>(dim_v_) * kernels.right_panel, target, key_tile_columns, false);
}

void UnitKeys::add_sum_of_values(const Tile& tile, int rows, const double* left, double* target) const {
    const tiles::Kernels& kernels = tiles::best();
    kernels.multiply_packed(rows, padded_dim_v_, tile.keys, left, v_values_.data() + offset(tile) * padded_dim_v_,
                            static_cast<std::ptrdiff_t>(tile.keys) * kernels.right_panel, target, padded_dim_v_, true);
}

void UnitKeys::add_sum_of_keys(const Tile& tile, int rows, const double* left, double* target) const {
    const tiles::Kernels& kernels = tiles::best();
    kernels.multiply_packed(rows, padded_dim_, tile.keys, left, k_values_.data() + offset(tile) * padded_dim_,
                            static_cast<std::ptrdiff_t>(tile.keys) * kernels.right_panel, target, padded_dim_, true);
}

}  // namespace dca::reference::sampled
