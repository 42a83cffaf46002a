#include "verify/cli/positions.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string>

#include "reference/math/chunk_positions.hpp"

namespace dca::cli {
namespace {

int digits(std::int64_t value) {
    return static_cast<int>(std::to_string(value).size());
}

/// Cells of equal width, with | between chunks.
class Row {
public:
    Row(std::ostream& out, std::int64_t chunk_len, int width) : out_(out), chunk_len_(chunk_len), width_(width) {}
    void cell(std::int64_t column, std::int64_t value) {
        if (column > 0) out_ << (column % chunk_len_ == 0 ? " | " : " ");
        out_ << std::setw(width_) << value;
    }

private:
    std::ostream& out_;
    std::int64_t chunk_len_;
    int width_;
};

}  // namespace

PairPositions pair_positions(const ChunkConfig& chunk, std::int64_t query, std::int64_t key) {
    const auto mode = reference::pair_mode(chunk, QueryIndex(query), KeyIndex(key));
    expects(mode.has_value(), "the key is not visible to the query");
    return {*mode, reference::query_position(chunk, QueryIndex(query), *mode).value(),
            reference::key_position(chunk, KeyIndex(key)).value()};
}

void write_positions_text(std::ostream& out, const PositionTable& table) {
    const auto& [chunk, n] = table;
    out << "chunk_size " << chunk.chunk_size << ", local_size " << chunk.local_size << ", chunk_len "
        << chunk.chunk_len() << ", seq_len " << n << "\n\n";

    const int width = digits(std::max(n - 1, chunk.chunk_size));
    const auto line = [&](const std::string& name, const auto& value) {
        out << std::left << std::setw(8) << name << std::right;
        Row row(out, chunk.chunk_len(), width);
        for (std::int64_t i = 0; i < n; ++i) row.cell(i, value(i));
        out << '\n';
    };
    line("i", [](std::int64_t i) { return i; });
    line("P_k", [&](std::int64_t j) { return reference::key_position(chunk, KeyIndex(j)).value(); });
    for (Mode mode : all_modes) {
        line("P_" + std::string(name(mode)),
             [&, mode](std::int64_t i) { return reference::query_position(chunk, QueryIndex(i), mode).value(); });
    }

    out << "\nRelative positions P(i) - P_k(j), one row for each query i, columns j = 0 .. i:\n\n";
    const int cell_width = digits(std::min(2 * chunk.chunk_len() - 1, std::min(chunk.chunk_size, n - 1)));
    for (std::int64_t i = 0; i < n; ++i) {
        out << "i=" << std::setw(digits(n - 1)) << i << ": ";
        Row row(out, chunk.chunk_len(), cell_width);
        for (std::int64_t j = 0; j <= i; ++j) row.cell(j, pair_positions(chunk, i, j).relative());
        out << '\n';
    }
}

void write_positions_csv(std::ostream& out, const PositionTable& table) {
    out << "query,key,mode,query_position,key_position,relative_position\n";
    std::string lines;
    for (std::int64_t i = 0; i < table.seq_len && out.good(); ++i) {
        lines.clear();
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = pair_positions(table.chunk, i, j);
            lines += std::to_string(i) + ',' + std::to_string(j) + ',';
            lines += name(pair.mode);
            lines += ',' + std::to_string(pair.query) + ',' + std::to_string(pair.key) + ',' +
                     std::to_string(pair.relative()) + '\n';
        }
        out << lines;
    }
}

}  // namespace dca::cli
