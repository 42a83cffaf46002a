// Pieces of Markdown.
#include <algorithm>
#include <cstdio>
#include <ostream>

#include "verify/hazards/document.hpp"

namespace dca::hazards {

void write_row(std::ostream& out, const std::vector<std::string>& cells) {
    out << '|';
    for (const std::string& cell : cells) out << ' ' << cell << (cell.empty() ? "|" : " |");
    out << '\n';
}

void write_header(std::ostream& out, const std::vector<std::string>& cells) {
    write_row(out, cells);
    out << '|';
    for (std::size_t column = 0; column < cells.size(); ++column) out << "---|";
    out << '\n';
}

void write_paragraph(std::ostream& out, std::string_view text, std::string_view indent) {
    constexpr std::size_t width = 120;
    while (text.size() + indent.size() > width) {
        std::size_t end = text.rfind(' ', width - indent.size());
        if (end == std::string_view::npos) end = std::min(text.find(' '), text.size());
        out << indent << text.substr(0, end) << '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!text.empty()) out << indent << text << '\n';
}

std::string code(std::string_view text) {
    return "`" + std::string(text) + "`";
}

std::string short_number(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.4g", value);
    return buffer;
}

}  // namespace dca::hazards
