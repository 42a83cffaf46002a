#include "gpu/host/plan.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "gpu/api/tile_config.hpp"
#include "gpu/host/angle_table.hpp"
#include "gpu/host/frequencies.hpp"
#include "gpu/host/tiles.hpp"
#include "reference/spec/error.hpp"

namespace dca::gpu::host {
namespace {

/// Tiles of the sequences that share one set of frequencies, and the positions they use.
struct Group {
    std::vector<PlacedQueryTile> queries;
    std::vector<PlacedKeyTile> keys;
    PositionRows rows;
};

/// Only the positions of keys that a tile sees need a row.
void add_positions(const PlacedQueryTile& placed, PositionRows& rows) {
    const QueryTile& tile = placed.tile;
    if (tile.intra_end > tile.succ_end) rows.add(placed.intra, tile.rows);
    if (tile.succ_end > tile.inter_end) rows.add(placed.succ, placed.succ_count);
    if (tile.inter_end > 0) rows.add(placed.inter, 1);
}

void set_angles(PlacedQueryTile& placed, const PositionRows& rows) {
    QueryTile& tile = placed.tile;
    const auto row = [&](bool used, std::int64_t position) {
        return used ? static_cast<std::int32_t>(rows.row(position)) : 0;
    };
    tile.intra_angle = row(tile.intra_end > tile.succ_end, placed.intra);
    tile.succ_angle = row(tile.succ_end > tile.inter_end, placed.succ);
    tile.succ_angles = static_cast<std::int32_t>(placed.succ_count);
    tile.inter_angle = row(tile.inter_end > 0, placed.inter);
}

/// What the frequencies of a sequence depend on: its length under `dynamic`, nothing otherwise.
std::int64_t frequency_length(const Problem& problem, const Sequence& sequence) {
    const bool dynamic = problem.rope.scaling == RopeScaling::dynamic && problem.rope.inv_freq.empty();
    return dynamic && problem.rope.layout != RopeLayout::none ? sequence.keys : 0;
}

std::map<std::int64_t, Group> groups_of(const Problem& problem, const TileShape& shape) {
    std::map<std::int64_t, Group> groups;
    for (const Sequence& sequence : sequences(problem)) {
        Group& group = groups[frequency_length(problem, sequence)];
        for (PlacedQueryTile& tile : query_tiles(sequence, problem.chunk, shape.queries)) {
            add_positions(tile, group.rows);
            group.queries.push_back(tile);
        }
        for (PlacedKeyTile& tile : key_tiles(sequence, problem.chunk, rotate_rows)) {
            group.rows.add(tile.position, tile.tile.rows);
            group.keys.push_back(tile);
        }
    }
    return groups;
}

}  // namespace

Plan make_plan(const Problem& problem) {
    validate(problem);
    if (const Support support = supports(problem); !support.ok()) throw Unsupported(support.reason);
    Plan plan;
    plan.shape = tile_shape(problem);
    plan.scale = kernel_scale(problem);
    const std::int64_t element_bytes = traits(problem.dtype).storage_bits / 8;
    plan.copy_v = problem.shape.head_dim_v * element_bytes % 16 != 0;
    const bool rotates = problem.rope.layout != RopeLayout::none;
    for (auto& [keys, group] : groups_of(problem, plan.shape)) {
        const std::int64_t rows = group.rows.number(plan.angle_rows);
        if (plan.angle_rows + rows > std::numeric_limits<std::int32_t>::max()) {
            throw Unsupported("the kernels' angle table would have more than 2^31 rows");
        }
        plan.angle_rows += rows;
        if (rotates) {
            append_angles(group.rows, inverse_frequencies(problem, keys), length_factor(problem.rope), plan.angles);
        }
        for (PlacedQueryTile& placed : group.queries) {
            set_angles(placed, group.rows);
            plan.query_tiles.push_back(placed.tile);
        }
        for (PlacedKeyTile& placed : group.keys) {
            placed.tile.angle = static_cast<std::int32_t>(group.rows.row(placed.position));
            plan.key_tiles.push_back(placed.tile);
        }
    }
    // Blocks start in this order: the longest first leaves the short ones to fill the end.
    std::stable_sort(plan.query_tiles.begin(), plan.query_tiles.end(),
                     [](const QueryTile& a, const QueryTile& b) { return a.intra_end > b.intra_end; });
    return plan;
}

}  // namespace dca::gpu::host
