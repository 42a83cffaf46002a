#include "verify/report/position_matrix.hpp"

#include <algorithm>
#include <cmath>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/error.hpp"
#include "verify/report/format.hpp"

namespace dca::verify {
namespace {

using reference::Sequence;

bool belongs_to_keys(const TensorReport& tensor) {
    return tensor.tensor == "dk" || tensor.tensor == "dv";
}

/// Batch entry and row of a tensor's worst element.
std::pair<std::int64_t, std::int64_t> place(const TensorReport& tensor) {
    const std::vector<std::int64_t>& index = tensor.worst.index;
    if (index.size() == 4) return {index[0], index[1]};
    if (index.size() == 3) return {index[0], index[2]};
    return {0, 0};
}

Sequence chosen(const std::vector<Sequence>& all, const TensorReport* worst) {
    if (worst == nullptr) return all.front();
    const auto [batch, row] = place(*worst);
    for (const Sequence& one : all) {
        const bool inside = belongs_to_keys(*worst) ? row >= one.key_begin && row < one.key_end
                                                    : row >= one.query_begin && row < one.query_end;
        if (one.batch == batch && inside) return one;
    }
    return all.front();
}

/// Marks the cells whose rows a tensor's first grid shows over its line in any column; without one, its worst row.
void mark(const TensorReport& tensor, std::int64_t begin, std::int64_t count, std::int64_t step,
          std::vector<bool>& marked) {
    const double line = tensor.row_line > 0 ? tensor.row_line : tensor.element_line;
    const auto mark_rows = [&](std::int64_t first, std::int64_t last) {
        first = std::max(first, begin);
        last = std::min(last, begin + count);
        for (std::int64_t row = first; row < last; ++row) marked[static_cast<std::size_t>((row - begin) / step)] = true;
    };
    if (tensor.grids.empty()) {
        const std::int64_t row = place(tensor).second;
        mark_rows(row, row + 1);
        return;
    }
    const ErrorGrid& grid = tensor.grids.front();
    for (std::int64_t r = 0; r < grid.rows; ++r) {
        for (std::int64_t c = 0; c < grid.columns; ++c) {
            const double value = grid.values[static_cast<std::size_t>(r * grid.columns + c)];
            if (std::isnan(value) || value <= line) continue;
            mark_rows(r * grid.row_step, (r + 1) * grid.row_step);
            break;
        }
    }
}

/// Where chunks of queries and of keys begin, along the visible pairs; none where they would hide the cells.
std::vector<picture::Mosaic::Line> chunk_borders(std::int64_t chunk_len, const Sequence& part, std::int64_t query_step,
                                                 std::int64_t key_step) {
    std::vector<picture::Mosaic::Line> lines;
    if (chunk_len < 3 * std::max(query_step, key_step)) return lines;
    const auto x = [&](std::int64_t key) { return static_cast<double>(key) / static_cast<double>(key_step); };
    const auto y = [&](std::int64_t position) {
        return static_cast<double>(std::max<std::int64_t>(0, position - part.offset)) / static_cast<double>(query_step);
    };
    const std::int64_t end = part.offset + part.query_count();
    for (std::int64_t at = chunk_len; at < end; at += chunk_len) {
        if (at >= part.offset) lines.push_back({0, y(at), x(std::min(at, part.key_count())), y(at)});
        if (at < part.key_count()) lines.push_back({x(at), y(at), x(at), y(end)});
    }
    return lines;
}

std::int64_t step_of(std::int64_t count) {
    return (count + most_matrix_cells - 1) / most_matrix_cells;
}

PositionMatrix drawn(const CaseReport& report, const Problem& problem) {
    const reference::PositionMap map(problem);
    const std::vector<Sequence> all = reference::sequences(problem);
    if (all.empty()) throw Unsupported("no sequence");
    const TensorReport* worst = worst_failure(report);
    const Sequence part = chosen(all, worst);
    const std::int64_t queries = part.query_count(), keys = part.key_count();
    const std::int64_t query_step = step_of(queries), key_step = step_of(keys);
    PositionMatrix result;
    picture::Mosaic& mosaic = result.mosaic;
    mosaic.rows = {"query row", (queries + query_step - 1) / query_step, query_step, part.query_begin, {}};
    mosaic.columns = {"key row", (keys + key_step - 1) / key_step, key_step, part.key_begin, {}};

    struct Pair {
        Mode mode;
        double relative;
    };
    std::vector<std::optional<Pair>> pairs;
    double largest = 1;
    for (std::int64_t r = 0; r < mosaic.rows.cells; ++r) {
        const QueryIndex query(part.offset + r * query_step);
        for (std::int64_t c = 0; c < mosaic.columns.cells; ++c) {
            const KeyIndex key(c * key_step);
            const std::optional<Mode> mode = reference::pair_mode(problem.chunk, query, key);
            pairs.push_back(mode ? std::optional<Pair>({*mode, map.query(query, *mode) - map.key(key)}) : std::nullopt);
            if (mode) largest = std::max(largest, pairs.back()->relative);
        }
    }
    for (const std::optional<Pair>& pair : pairs) {
        mosaic.cells.push_back(
            pair ? std::optional(mode_color(pair->mode, std::clamp(pair->relative / largest, 0.0, 1.0)))
                 : std::nullopt);
    }
    mosaic.marked_rows.resize(static_cast<std::size_t>(mosaic.rows.cells));
    mosaic.marked_columns.resize(static_cast<std::size_t>(mosaic.columns.cells));
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict != Verdict::failed || tensor.worst.index.empty()) continue;
        if (belongs_to_keys(tensor)) {
            mark(tensor, part.key_begin, keys, key_step, mosaic.marked_columns);
        } else {
            mark(tensor, part.query_begin, queries, query_step, mosaic.marked_rows);
        }
    }
    mosaic.lines = chunk_borders(problem.chunk.chunk_len(), part, query_step, key_step);
    result.words =
        problem.packed() ? "Sequence " + std::to_string(part.number) + " of the packed batch" : "Every batch entry";
    result.words += ", dialect " + problem.dialect + ", chunk_size " + std::to_string(problem.chunk.chunk_size) +
                    ", local_size " + std::to_string(problem.chunk.local_size) + ", relative positions 0 to " +
                    short_number(largest);
    if (query_step > 1 || key_step > 1) {
        result.words +=
            ", one cell for " + std::to_string(query_step) + " queries and " + std::to_string(key_step) + " keys";
    }
    return result;
}

}  // namespace

picture::Mosaic::Color mode_color(Mode mode, double relative) {
    // Hues that differ for every kind of colour vision: blue, orange, purple; darker with distance.
    struct Ends {
        double near[3], far[3];
    };
    const auto ends = [&]() -> Ends {
        switch (mode) {
            case Mode::intra: return {{200, 223, 250}, {20, 84, 164}};
            case Mode::succ: return {{252, 222, 178}, {176, 88, 4}};
            case Mode::inter: return {{230, 208, 244}, {106, 32, 150}};
        }
        return {};
    }();
    const auto channel = [&](int i) {
        return static_cast<std::uint8_t>(std::lround(ends.near[i] + (ends.far[i] - ends.near[i]) * relative));
    };
    return {channel(0), channel(1), channel(2)};
}

std::optional<PositionMatrix> position_matrix(const CaseReport& report) {
    if (!report.problem || report.problem->sparse_prefill()) return std::nullopt;
    try {
        return drawn(report, *report.problem);
    } catch (const Unsupported&) {
        return std::nullopt;  // the dialect's own code has no such positions
    }
}

}  // namespace dca::verify
