// Attention mass and partial output of every key chunk, for a few query rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reference/spec/bundles.hpp"

namespace dca::verify {

/// One query row: the keys it sees, in cells that are key chunks. Where there are more than the caller wants, the far
/// ones are joined, and the row's own chunk and the one before stay cells of their own.
struct RowCells {
    std::vector<double> mass;          ///< of each cell; together 1
    std::vector<double> out;           ///< cells x channels: the output over the cell's keys alone
    std::vector<std::int64_t> column;  ///< of the grid, which joins chunks evenly
    std::vector<Mode> mode;            ///< how the row sees the cell
    std::int64_t chunks_per_column = 1;

    /// Cells joined by mode.
    [[nodiscard]] RowCells by_mode() const;
};

/// Of rows of one head; most_cells bounds their number for each row. Keys pass by in slices.
[[nodiscard]] std::vector<RowCells> key_masses(const Problem& problem, const Inputs& inputs, std::int64_t batch,
                                               std::int64_t head, std::span<const std::int64_t> rows,
                                               std::int64_t most_cells);

}  // namespace dca::verify
