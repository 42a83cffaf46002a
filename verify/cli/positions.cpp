#include "verify/cli/positions.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>

namespace dca::cli {
namespace {

using Cells = std::vector<std::string>;

int widest(const Cells& cells) {
    std::size_t width = 0;
    for (const std::string& cell : cells) width = std::max(width, cell.size());
    return static_cast<int>(width);
}

/// Cells of equal width, with | between chunks.
void write_row(std::ostream& out, const Cells& cells, std::int64_t chunk_len, int width) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
        if (column > 0) out << (static_cast<std::int64_t>(column) % chunk_len == 0 ? " | " : " ");
        out << std::setw(width) << cells[column];
    }
    out << '\n';
}

void write_maps(std::ostream& out, const PositionTable& table) {
    std::vector<std::pair<std::string, Cells>> rows{{"i", {}}, {"P_k", {}}};
    for (std::int64_t i = 0; i < table.seq_len(); ++i) {
        rows[0].second.push_back(std::to_string(i));
        rows[1].second.push_back(rounded_text(table.map().key(KeyIndex(i))));
    }
    for (Mode mode : all_modes) {
        auto& [label, cells] = rows.emplace_back("P_" + std::string(name(mode)), Cells{});
        for (std::int64_t i = 0; i < table.seq_len(); ++i) {
            cells.push_back(rounded_text(table.map().query(QueryIndex(i), mode)));
        }
    }
    int width = 0;
    for (const auto& [label, cells] : rows) width = std::max(width, widest(cells));
    for (const auto& [label, cells] : rows) {
        out << std::left << std::setw(8) << label << std::right;
        write_row(out, cells, table.chunk_len(), width);
    }
}

void write_matrix(std::ostream& out, const PositionTable& table) {
    std::vector<Cells> rows(static_cast<std::size_t>(table.seq_len()));
    int width = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            const auto pair = table.pair(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
            rows[i].push_back(rounded_text(pair.relative()));
        }
        width = std::max(width, widest(rows[i]));
    }
    const int label_width = static_cast<int>(std::to_string(rows.size() - 1).size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out << "i=" << std::setw(label_width) << i << ": ";
        write_row(out, rows[i], table.chunk_len(), width);
    }
}

}  // namespace

void write_positions_text(std::ostream& out, const PositionTable& table) {
    out << table.title() << "\n\n";
    write_maps(out, table);
    out << "\nRelative positions P(i) - P_k(j), one row for each query i, columns j = 0 .. i:\n\n";
    write_matrix(out, table);
    const std::vector<std::string> remarks = table.remarks();
    if (!remarks.empty()) out << '\n';
    for (const std::string& remark : remarks) out << remark << '\n';
}

void write_positions_csv(std::ostream& out, const PositionTable& table) {
    out << "query,key,mode,query_position,key_position,relative_position\n";
    std::string lines;
    for (std::int64_t i = 0; i < table.seq_len() && out.good(); ++i) {
        lines.clear();
        for (std::int64_t j = 0; j <= i; ++j) {
            const PairPositions pair = table.pair(i, j);
            lines += std::to_string(i) + ',' + std::to_string(j) + ',';
            lines += name(pair.mode);
            lines +=
                ',' + exact_text(pair.query) + ',' + exact_text(pair.key) + ',' + exact_text(pair.relative()) + '\n';
        }
        out << lines;
    }
}

}  // namespace dca::cli
